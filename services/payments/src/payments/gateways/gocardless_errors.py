"""GoCardless' errors as the port's: a definite no, or ``unknown`` for whatever leaves open if money will move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from gocardless_pro import errors as gc

from payments.gateways.errors import CredentialsRejectedError, GatewayRejectedError, GatewayUnavailableError
from payments.gateways.terms import ChargeOutcome, ChargeState, FailureKind

REFUSED = (gc.ValidationFailedError, gc.InvalidStateError, gc.InvalidApiUsageError, gc.IdempotentCreationConflictError)
KEYS = (gc.AuthenticationError, gc.PermissionsError)


def charge_error(error: Exception) -> ChargeOutcome:
    """A definite no, or ``unknown`` for whatever leaves open if money will move."""
    if isinstance(error, KEYS):
        return ChargeOutcome(
            ChargeState.FAILED, failure_code="gateway_credentials_rejected", failure_kind=FailureKind.SOFT
        )
    if isinstance(error, REFUSED):
        code = reason(error)
        return ChargeOutcome(ChargeState.FAILED, failure_code=code, failure_kind=FailureKind.HARD)
    return ChargeOutcome(ChargeState.UNKNOWN, failure_code=trouble(error))


def reason(error: gc.ApiError) -> str:
    """The code of a refusal."""
    reasons = [str(fault["reason"]) for fault in error.errors or () if fault.get("reason")]
    return reasons[0] if reasons else "provider_refused"


def trouble(error: Exception) -> str:
    """A code for what kept GoCardless from answering."""
    if isinstance(error, gc.RateLimitError):
        return "rate_limited"
    return "no_answer" if isinstance(error, requests.RequestException) else "provider_error"


@contextmanager
def translated() -> Iterator[None]:
    """GoCardless' errors as the port's, for every act but charges and refunds."""
    try:
        yield
    except KEYS as error:
        raise CredentialsRejectedError("GoCardless does not accept the access token") from error
    except REFUSED as error:
        raise GatewayRejectedError(reason(error), str(error)) from error
    except (gc.GoCardlessProError, requests.RequestException) as error:
        raise GatewayUnavailableError(f"GoCardless did not answer: {trouble(error)}") from error
