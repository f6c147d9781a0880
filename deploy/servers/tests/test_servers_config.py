"""What the launcher understands, and what it refuses with a sentence."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from servers.config import SettingsError, read_settings
from servers.processes import PORTS, SERVICES, STORING, Process, all_processes, command
from servers.processes import environment as told


def test_each_service_gets_a_database_of_its_own_on_the_server(environment: dict[str, str]) -> None:
    urls = read_settings(environment).database_urls
    assert set(urls) == set(STORING)
    assert urls["booking"] == "postgresql://desk:p%40ss@db.example:5432/deskledger_booking?sslmode=require"


def test_a_services_own_url_wins(environment: dict[str, str]) -> None:
    environment["BOOKING_DATABASE_URL"] = "postgresql://elsewhere/bookings"
    assert read_settings(environment).database_urls["booking"] == "postgresql://elsewhere/bookings"


def test_urls_for_every_service_need_no_server_url(environment: dict[str, str]) -> None:
    del environment["DESKLEDGER_POSTGRES_URL"]
    environment |= {f"{name.upper()}_DATABASE_URL": f"postgresql://db/{name}" for name in STORING}
    assert read_settings(environment).database_urls["members"] == "postgresql://db/members"


@pytest.mark.parametrize("missing", ["DESKLEDGER_POSTGRES_URL", "AMQP_URL"])
def test_what_is_missing_is_named(environment: dict[str, str], missing: str) -> None:
    del environment[missing]
    with pytest.raises(SettingsError, match=f"Set {missing}"):
        read_settings(environment)


@pytest.mark.parametrize("port", ["http", "-1", "0", "65535", "80.5", "²"])
def test_a_port_that_is_none_is_refused(environment: dict[str, str], port: str) -> None:
    environment["DESKLEDGER_PORT"] = port
    with pytest.raises(SettingsError, match="DESKLEDGER_PORT"):
        read_settings(environment)


def test_shared_secrets_are_kept_and_readable_by_their_owner_only(environment: dict[str, str], tmp_path: Path) -> None:
    first, second = read_settings(environment), read_settings(environment)
    assert len(first.internal_token) >= 32
    assert (first.internal_token, first.secret) == (second.internal_token, second.secret)
    assert first.internal_token != first.secret
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert files == {"internal-token": 0o600, "secret": 0o600}


def test_no_two_processes_share_a_port_and_workers_come_last(environment: dict[str, str]) -> None:
    settings = read_settings(environment | {"DESKLEDGER_PORT": "8100"})
    ports = [settings.port_of(name) for name in SERVICES] + [settings.worker_port_of(name) for name in STORING]
    assert sorted(ports) == list(range(8100, 8100 + PORTS))
    assert max(settings.port_of(name) for name in SERVICES) < min(settings.worker_port_of(name) for name in STORING)
    assert told("booking", settings)["WORKER_PORT"] == str(settings.worker_port_of("booking"))
    assert settings.port_of("gateway") == 8100


def test_every_service_has_a_web_process_and_every_storing_one_a_worker() -> None:
    names = {process.name for process in all_processes()}
    assert names == {f"{name}-web" for name in SERVICES} | {f"{name}-worker" for name in STORING}


def test_only_the_gateway_listens_on_the_public_address(environment: dict[str, str]) -> None:
    settings = read_settings(environment | {"DESKLEDGER_HOST": "0.0.0.0"})
    public = [p.service for p in all_processes() if any("0.0.0.0" in word for word in command(p, settings))]
    assert public == ["gateway"]


def test_a_service_is_told_its_own_database_and_no_other(environment: dict[str, str]) -> None:
    settings = read_settings(environment)
    assert told("booking", settings)["DATABASE_URL"].endswith("/deskledger_booking?sslmode=require")
    assert "DATABASE_URL" not in told("portal", settings)


def test_the_gateway_knows_every_service_and_the_portal_only_the_gateway(environment: dict[str, str]) -> None:
    settings = read_settings(environment | {"DESKLEDGER_PORT": "8100"})
    assert told("gateway", settings)["CATALOG_URL"] == settings.url_of("catalog") == "http://127.0.0.1:8101"
    urls = {name for name in told("portal", settings) if name.endswith("_URL")}
    assert urls == {"AMQP_URL", "GATEWAY_URL", "PUBLIC_URL"}
    assert command(Process("booking", "worker"), settings)[1:] == ["-m", "booking", "worker"]
