"""Stripe's errors as the port's: a definite no, or ``unknown`` for whatever leaves open if money moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import stripe

from payments.gateways.errors import CredentialsRejectedError, GatewayRejectedError, GatewayUnavailableError
from payments.gateways.stripe_readings import declined, refused
from payments.gateways.terms import ChargeOutcome, ChargeState, FailureKind, RefundOutcome, RefundState


def charge_error(error: stripe.StripeError) -> ChargeOutcome:
    """A definite no, or ``unknown`` for whatever leaves open if money moved."""
    if isinstance(error, stripe.CardError):
        facts: dict[str, Any] = error.error.to_dict() if error.error else {"code": error.code}
        intent = facts.get("payment_intent")
        return refused(facts, intent if isinstance(intent, Mapping) else None)
    if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
        # Our keys are at fault, not the member's method: soft, so that mended keys collect at the next step.
        return declined("gateway_credentials_rejected", None, FailureKind.SOFT)
    if isinstance(error, stripe.InvalidRequestError):
        return declined(error.code or "provider_refused", None, FailureKind.HARD)
    return ChargeOutcome(ChargeState.UNKNOWN, failure_code=trouble(error))


def refund_error(error: stripe.StripeError) -> RefundOutcome:
    """As `charge_error`, for money that was to be given back."""
    if isinstance(
        error, (stripe.CardError, stripe.InvalidRequestError, stripe.AuthenticationError, stripe.PermissionError)
    ):
        return RefundOutcome(RefundState.FAILED, failure_code=error.code or "provider_refused")
    return RefundOutcome(RefundState.UNKNOWN, failure_code=trouble(error))


def trouble(error: stripe.StripeError) -> str:
    """A code for what kept Stripe from answering."""
    if isinstance(error, stripe.RateLimitError):
        return "rate_limited"
    if isinstance(error, stripe.IdempotencyError):
        return "idempotency_mismatch"
    return "no_answer" if isinstance(error, stripe.APIConnectionError) else "provider_error"


@contextmanager
def translated() -> Iterator[None]:
    """Stripe's errors as the port's, for every act but charges and refunds."""
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise CredentialsRejectedError(error.user_message or "Stripe does not accept the key") from error
    except stripe.CardError as error:
        facts = error.error.to_dict() if error.error else {}
        code = facts.get("decline_code") or error.code or "card_declined"
        raise GatewayRejectedError(code, error.user_message or code) from error
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise GatewayRejectedError(error.code or "provider_refused", error.user_message or "") from error
    except stripe.StripeError as error:
        raise GatewayUnavailableError(f"Stripe did not answer: {trouble(error)}") from error
