"""What only the gateway may ask: to take back the bookings of an order that was refused as a whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from booking.config import BookingSettings
from booking.services.endings import withdraw
from common.http import ServiceApp, bind_session
from common.http.internal import require_internal_caller


def register_internal_routes(app: ServiceApp, settings: BookingSettings) -> None:
    """Add ``POST /internal/checkouts/withdrawal``."""

    @app.post("/internal/checkouts/withdrawal")
    def withdraw_checkout() -> dict[str, Any]:
        require_internal_caller(settings)
        told = {name: UUID(value) for name, value in request.get_json().items()}
        withdraw(bind_session(told["organization_id"]), told["member_id"], told["checkout_id"])
        return {}
