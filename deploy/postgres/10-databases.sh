#!/bin/bash
# Runs once, on an empty data volume: a database and a role per service, and no role can enter another's database.
# The same, by hand, when a service joins a running installation.
set -euo pipefail

for service in catalog booking invoicing payments notifications members; do
    psql --quiet --set ON_ERROR_STOP=1 --set name="deskledger_${service}" --set password="${SERVICE_PASSWORD}" \
        --username "${POSTGRES_USER}" --dbname postgres <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
SQL
done
