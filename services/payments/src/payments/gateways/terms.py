"""The nouns of the port: what is asked of a provider and what it answers. Frozen, without behaviour.

References are the provider's opaque names for its things and are all that our tables keep (PAY-10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from common.money import Money


class MethodKind(StrEnum):
    """What a member can pay with; the last three are taken by hand (PAY-4)."""

    CARD = "card"
    SEPA_DEBIT = "sepa_debit"
    ACH_DEBIT = "ach_debit"
    BACS_DEBIT = "bacs_debit"
    CASH = "cash"
    BANK_TRANSFER = "bank_transfer"
    POS = "pos"


class ChargeState(StrEnum):
    """Where a charge stands as far as the provider says; ``unknown`` means that we must ask."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"
    ACTION_REQUIRED = "action_required"
    UNKNOWN = "unknown"


class FailureKind(StrEnum):
    """``soft`` may work in a few days; ``hard`` never will with this method (PAY-2)."""

    SOFT = "soft"
    HARD = "hard"


class RefundState(StrEnum):
    """Where a refund stands; ``unknown`` means that we must ask."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway can do. ``collects`` is false where people take the money themselves."""

    kinds: frozenset[MethodKind]
    collects: bool
    # How a method is saved: "element" (client secret), "redirect" (page), "token" (sandbox) or "none".
    setup_by: str
    refunds: bool = True
    webhooks: bool = True
    # Whether there are payouts to hold our records against.
    payouts: bool = False


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """Whose account the credentials open. ``live`` is false for a provider's test mode."""

    live: bool
    label: str


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """Whom the provider may show on its pages and receipts; metadata carries our ids."""

    name: str
    email: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MethodDetails:
    """A saved method as a person may recognise it. ``exp_*`` only for cards; months count from 1."""

    reference: str
    customer_reference: str | None
    kind: MethodKind
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    # The same card or account saved twice has the same fingerprint.
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """Save a method for later. With ``token`` (a reference that the provider's element made) it is attached at once."""

    idempotency_key: str
    customer_reference: str
    kinds: Sequence[MethodKind] = (MethodKind.CARD,)
    token: str | None = None
    return_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetupOutcome:
    """Either ``method`` is there, or the member acts with ``client_secret`` or at ``url``; then `complete_setup`."""

    reference: str
    method: MethodDetails | None = None
    client_secret: str | None = None
    url: str | None = None
    # What the provider's script in the browser identifies itself with; it may be public.
    publishable_key: str | None = None
    # The member tried and the provider refused the method; a new setup is needed.
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """Take ``amount`` for an attempt at an invoice. The same key always means the same charge (PAY-1).

    ``method_reference`` None: the member will choose one in the provider's element (guest checkout), and the outcome is
    ``action_required`` with a client secret. ``off_session``: nobody is at the screen to confirm anything.
    ``metadata`` carries organization_id, invoice_id and payment_id; adapters add the idempotency key.
    """

    idempotency_key: str
    amount: Money
    customer_reference: str
    method_reference: str | None
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 1
    off_session: bool = True
    return_url: str | None = None

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError("a charge takes a positive amount")


@dataclass(frozen=True, slots=True)
class ChargeOutcome:
    """What became of a charge. ``failure_kind`` is set exactly when ``state`` is failed.

    ``settles_after`` (sandbox): how long after the charge, by the organisation's clock, a pending one is to be
    asked for again with `fetch_charge`; real providers send a webhook instead and leave it None.
    """

    state: ChargeState
    provider_reference: str | None = None
    failure_code: str | None = None
    failure_kind: FailureKind | None = None
    action_url: str | None = None
    client_secret: str | None = None
    settles_after: timedelta | None = None

    def __post_init__(self) -> None:
        if (self.state is ChargeState.FAILED) != (self.failure_kind is not None):
            raise ValueError("failure_kind belongs to failed outcomes, and to each of them")


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Give ``amount`` of a charge back, through the account that took it (PAY-5)."""

    idempotency_key: str
    charge_reference: str
    amount: Money
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise ValueError("a refund gives back a positive amount")


@dataclass(frozen=True, slots=True)
class RefundOutcome:
    """What became of a refund. ``settles_after``: as in `ChargeOutcome`."""

    state: RefundState
    provider_reference: str | None = None
    failure_code: str | None = None
    settles_after: timedelta | None = None
