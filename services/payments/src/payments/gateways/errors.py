"""What can go wrong at a provider's door, apart from a charge: a charge always answers with an outcome."""

from __future__ import annotations

from common.errors import BadRequestError, InvalidError, UnavailableError


class GatewayUnavailableError(UnavailableError):
    """The provider did not answer, was overloaded or broke; nothing is known to have changed. Try again later."""

    def __init__(self, detail: str, code: str = "gateway_unavailable") -> None:
        super().__init__(code, detail)


class CredentialsRejectedError(InvalidError):
    """The provider does not accept the keys that it was given."""

    def __init__(self, detail: str) -> None:
        super().__init__("gateway_credentials_rejected", detail)


class GatewayRejectedError(InvalidError):
    """The provider understood and refuses: an unknown reference, a card that cannot be saved. ``code`` says why."""


class UnsupportedByGatewayError(InvalidError):
    """This kind of gateway has no such act (saving a card with cash, say)."""

    def __init__(self, detail: str) -> None:
        super().__init__("gateway_unsupported", detail)


class SignatureError(BadRequestError):
    """A webhook that the provider did not sign with our secret, or signed too long ago (PAY-7)."""

    def __init__(self, detail: str) -> None:
        super().__init__("webhook_signature_invalid", detail)
