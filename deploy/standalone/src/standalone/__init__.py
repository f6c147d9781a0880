"""The whole suite as one process on embedded PostgreSQL: what `make up` starts."""
