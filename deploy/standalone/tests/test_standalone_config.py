"""The standalone suite listens to the same variables as the services on servers of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.config import ConfigurationError
from common.service import Service
from standalone.config import load_suite_settings
from standalone.services import ALL_SERVICES
from standalone.suite import make_runtime

SERVER = "postgresql+psycopg://nobody@127.0.0.1:1/postgres"


def settings_of(name: str, environ: dict[str, str]) -> Any:
    """What a service of the suite is set to."""
    runtime = make_runtime(_service(name), load_suite_settings(environ), SERVER)
    runtime.close()
    return runtime.settings


def _service(name: str) -> Service:
    return next(service for service in ALL_SERVICES if service.name == name)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The least that has to be said."""
    return {"DESKLEDGER_DATA": str(tmp_path), "DESKLEDGER_PORT": "8123"}


def test_what_a_service_reads_on_servers_it_reads_here_too(environ: dict[str, str]) -> None:
    environ |= {
        "STRIPE_API_BASE": "http://127.0.0.1:9",
        "GOCARDLESS_API_BASE": "http://127.0.0.1:10",
        "PAYMENTS_CHARGE_WORKERS": "3",
        "PAYMENTS_CHARGES_PER_SECOND": "7",
        "DESKLEDGER_PREVIOUS_SECRETS": "old,older",
        "SMTP_URL": "smtp://mail.example:25",
        "SIGN_IN_ATTEMPTS": "4",
        "PUBLIC_URL": "https://desk.example",
    }
    payments = settings_of("payments", environ)
    assert (payments.stripe_api_base, payments.gocardless_api_base) == ("http://127.0.0.1:9", "http://127.0.0.1:10")
    assert (payments.charge_workers, payments.charges_per_second) == (3, 7)
    assert (payments.previous_secrets, payments.public_url) == ("old,older", "https://desk.example")
    notifications = settings_of("notifications", environ)
    assert (notifications.smtp_url, notifications.public_url) == ("smtp://mail.example:25", "https://desk.example")
    assert settings_of("members", environ).sign_in_attempts == 4


def test_without_them_links_lead_to_the_suite_and_mail_stays_in_its_folder(
    environ: dict[str, str], tmp_path: Path
) -> None:
    assert settings_of("payments", environ).public_url == "http://localhost:8123"
    notifications = settings_of("notifications", environ)
    assert (notifications.public_url, notifications.smtp_url) == ("http://localhost:8123", "")
    assert notifications.mail_folder == str(tmp_path / "mail")


def test_a_brokers_and_other_services_addresses_mean_nothing_here(environ: dict[str, str]) -> None:
    environ |= {"AMQP_URL": "amqp://mq.example", "DATABASE_URL": "postgresql://db.example/x", "WORKER_PORT": "9000"}
    payments = settings_of("payments", environ)
    assert (payments.amqp_url, payments.worker_port) == ("", 0)
    assert payments.database_url == SERVER.replace("/postgres", "/deskledger_payments")


def test_secrets_that_are_given_take_the_place_of_those_it_made(environ: dict[str, str]) -> None:
    made = settings_of("payments", environ)
    assert len(made.secret) >= 32
    assert settings_of("payments", environ).secret == made.secret, "kept between starts"
    environ |= {"DESKLEDGER_SECRET": "given", "DESKLEDGER_PREVIOUS_SECRETS": made.secret}
    given = settings_of("payments", environ)
    assert (given.secret, given.previous_secrets, given.internal_token) == ("given", made.secret, made.internal_token)


def test_a_malformed_setting_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="PAYMENTS_CHARGE_WORKERS"):
        settings_of("payments", environ | {"PAYMENTS_CHARGE_WORKERS": "eight"})
