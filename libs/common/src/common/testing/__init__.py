"""Fixtures and servers for tests: real PostgreSQL, real RabbitMQ."""
