"""A member confirms a charge with their bank (3-D Secure). The sandbox has to be told; other providers are asked."""

from __future__ import annotations

from uuid import UUID

from common.db import TenantSession
from common.errors import ConflictError
from payments.domain.payment_state import ChargeFact
from payments.gateways.sandbox import SandboxGateway
from payments.models import Payment
from payments.services import charging
from payments.services.collecting import errand_for
from payments.services.providers import Providers


def confirm_in_sandbox(session: TenantSession, providers: Providers, payment_id: UUID, *, succeeded: bool) -> Payment:
    """Play the member's part at the sandbox's bank. A payment that waits for nobody any more stays as it is.

    Raises NotFoundError; ConflictError ``not_a_sandbox_payment``.
    """
    payment, invoice = charging.lock_payment(session, payment_id)
    if payment.charge != ChargeFact.ACTION_REQUIRED.name or payment.provider_reference is None:
        return payment
    adapter = errand_for(session, providers, payment).gateway
    if not isinstance(adapter, SandboxGateway):
        raise ConflictError("not_a_sandbox_payment", "this payment is confirmed with the provider")
    outcome = adapter.complete_action(payment.provider_reference, succeeded=succeeded)
    charging.report_charge(session, payment, invoice, outcome)
    return payment


def ask_after_confirmation(session: TenantSession, providers: Providers, payment: Payment) -> Payment:
    """Ask the provider how a charge stands after its member says that they confirmed it; the webhook may come later.

    Several transactions; the caller commits the last. A payment that waits for nobody any more stays as it is. Raises
    GatewayUnavailableError.
    """
    if payment.charge != ChargeFact.ACTION_REQUIRED.name or payment.provider_reference is None:
        return payment
    adapter, reference = errand_for(session, providers, payment).gateway, payment.provider_reference
    session.commit()
    outcome = adapter.fetch_charge(reference)
    payment, invoice = charging.lock_payment(session, payment.id)
    charging.report_charge(session, payment, invoice, outcome)
    return payment
