"""Which providers there are, what credentials each wants, and how its adapter is made (PAY-6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from common.errors import FieldError, InvalidError
from payments.gateways.gocardless import GoCardlessConnection, GoCardlessCredentials, GoCardlessGateway
from payments.gateways.manual import ManualGateway
from payments.gateways.port import PaymentGateway
from payments.gateways.sandbox import SandboxGateway
from payments.gateways.stripe import StripeConnection, StripeCredentials, StripeGateway

Credentials = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One thing that the operator enters. ``secret`` ones are stored encrypted and never shown again."""

    name: str
    label: str
    pattern: str
    hint: str
    required: bool = True
    secret: bool = True


@dataclass(frozen=True, slots=True)
class Provider:
    """A kind of gateway: its credentials and its adapter's maker."""

    name: str
    label: str
    fields: tuple[CredentialField, ...]
    build: Callable[[Credentials, Connections], PaymentGateway]


@dataclass(frozen=True, slots=True)
class Connections:
    """Where providers are; other than the defaults only against test servers."""

    stripe: StripeConnection = field(default_factory=StripeConnection)
    gocardless: GoCardlessConnection = field(default_factory=GoCardlessConnection)


def _stripe(credentials: Credentials, connections: Connections) -> PaymentGateway:
    keys = StripeCredentials(
        credentials["api_key"], credentials.get("webhook_secret"), credentials.get("publishable_key")
    )
    return StripeGateway(keys, connections.stripe)


def _gocardless(credentials: Credentials, connections: Connections) -> PaymentGateway:
    keys = GoCardlessCredentials(credentials["access_token"], credentials.get("webhook_secret"))
    return GoCardlessGateway(keys, connections.gocardless)


def _sandbox(credentials: Credentials, connections: Connections) -> PaymentGateway:
    del connections
    return SandboxGateway(credentials.get("webhook_secret"))


def _manual(credentials: Credentials, connections: Connections) -> PaymentGateway:
    del credentials, connections
    return ManualGateway()


_STRIPE_FIELDS = (
    CredentialField("api_key", "Secret or restricted key", r"(sk|rk)_\w+", "starts with sk_ or rk_"),
    CredentialField("webhook_secret", "Signing secret", r"whsec_\S+", "starts with whsec_", required=False),
    CredentialField("publishable_key", "Publishable key", r"pk_\w+", "starts with pk_", required=False, secret=False),
)

_GOCARDLESS_FIELDS = (
    CredentialField("access_token", "Access token", r"(live|sandbox)_\S+", "starts with live_ or sandbox_"),
    CredentialField("webhook_secret", "Webhook secret", r"\S{8,}", "at least 8 signs", required=False),
)

PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider("stripe", "Stripe", _STRIPE_FIELDS, _stripe),
        Provider("gocardless", "GoCardless", _GOCARDLESS_FIELDS, _gocardless),
        Provider(
            "sandbox",
            "Sandbox",
            (CredentialField("webhook_secret", "Signing secret", r"\S{8,}", "at least 8 signs", required=False),),
            _sandbox,
        ),
        Provider("manual", "Cash, transfer, terminal", (), _manual),
    )
}


def provider_named(name: str) -> Provider:
    """The provider of that name; raises InvalidError ``unknown_provider``."""
    provider = PROVIDERS.get(name)
    if provider is None:
        raise InvalidError("unknown_provider", f"no such provider; there are {', '.join(sorted(PROVIDERS))}")
    return provider


def validate_credentials(name: str, credentials: Credentials) -> None:
    """Refuse unknown, missing and malformed fields, all at once, without repeating what was entered.

    Raises InvalidError ``credentials_invalid`` with one error per field. Whether the provider accepts them is
    `PaymentGateway.check_credentials`'s to say.
    """
    fields = {field.name: field for field in provider_named(name).fields}
    faults = [(unknown, "is not a field of this provider") for unknown in credentials.keys() - fields.keys()]
    for field_name, wanted in fields.items():
        value = credentials.get(field_name)
        if value is None and wanted.required:
            faults.append((field_name, "is missing"))
        elif value is not None and not re.fullmatch(wanted.pattern, value):
            faults.append((field_name, wanted.hint))
    if faults:
        errors = [FieldError(f"/credentials/{where}", what) for where, what in sorted(faults)]
        raise InvalidError("credentials_invalid", f"these are no credentials of {name}", errors=errors)


def build_gateway(name: str, credentials: Credentials, connections: Connections | None = None) -> PaymentGateway:
    """The adapter for decrypted, validated credentials; no network. Raises as `validate_credentials`."""
    validate_credentials(name, credentials)
    return provider_named(name).build(credentials, connections or Connections())
