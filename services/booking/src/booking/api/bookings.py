"""``/v1/bookings``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from booking.api.access import (
    BOOKERS,
    DESK,
    EVERYBODY,
    asker_of,
    customer_of,
    find_mine,
    require_staff_fields,
    visible_bookings,
)
from booking.api.schemas import (
    ApprovalInSchema,
    BookingInSchema,
    BookingPatchSchema,
    BookingQuery,
    BookingSchema,
    CancellationInSchema,
    CancellationSchema,
    EmptySchema,
    QuoteInSchema,
    QuoteSchema,
)
from booking.api.views import customer_name, show_bookings, show_quote, show_series
from booking.domain.intervals import Interval
from booking.domain.pricing import ExtraOrder
from booking.domain.recurrence import Recurrence, read_exdates
from booking.models import Booking, Location, Resource
from booking.services import bookings, endings, lifecycle
from booking.services.changes import Change, change_booking
from booking.services.pricing import Terms
from booking.services.quotes import quote
from booking.services.windows import touches
from common.auth import Principal, allow, current_principal
from common.db import TenantSession
from common.http import Blueprint, check_if_match, current_session, idempotent, page, page_schema, remember_etag
from common.http.audited import changes_nothing
from common.ids import decode_path_id

blueprint = Blueprint("bookings", __name__, description="When resources are used")


@blueprint.route("/v1/bookings/quote", methods=["POST"])
@allow(*EVERYBODY)
@changes_nothing
@blueprint.arguments(QuoteInSchema)
@blueprint.response(200, QuoteSchema)
def quote_booking(body: dict[str, Any]) -> dict[str, Any]:
    """Say what a booking would cost, and what stands against it."""
    session, principal = current_session(), current_principal()
    require_staff_fields(principal, body)
    request = _request(session, principal, body)
    return show_quote(quote(session, request, asker_of(principal, override=body["override"])))


@blueprint.route("/v1/bookings", methods=["POST"])
@allow(*BOOKERS)
@idempotent(required=True, along=True)
@blueprint.arguments(BookingInSchema)
@blueprint.response(201, BookingSchema)
def create_booking(body: dict[str, Any]) -> dict[str, Any]:
    """Book a resource once or as a series; `payment: now` holds the time until it is paid."""
    session, principal = current_session(), current_principal()
    require_staff_fields(principal, body)
    asker = asker_of(principal, override=body["override"], is_checkout=_is_strange(body))
    booked = bookings.book(session, _request(session, principal, body), asker)
    remember_etag(booked.rows[0])
    return show_series(session, booked.rows[0], booked.rows, name=booked.customer_name)


@blueprint.route("/v1/bookings", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(BookingQuery, location="query")
@blueprint.response(200, page_schema(BookingSchema))
def list_bookings(query: dict[str, Any]) -> dict[str, Any]:
    """List bookings; members see their own."""
    session = current_session()
    statement = select(Booking).where(*visible_bookings(current_principal()))
    for name in ("resource_id", "location_id", "member_id", "company_id", "series_id", "checkout_id"):
        if name in query:
            statement = statement.where(getattr(Booking, name) == query[name])
    if "status" in query:
        statement = statement.where(Booking.status.in_(query["status"].split(",")))
    if "from_" in query and "to" in query:
        statement = statement.where(touches(query["from_"], query["to"]))
    elif "from_" in query:
        statement = statement.where(Booking.ends_at > query["from_"])
    elif "to" in query:
        statement = statement.where(Booking.starts_at < query["to"])
    found = page(session, statement, query, key=Booking.id, sorts={"start": Booking.starts_at}, default_sort="-id")
    return {**found, "items": show_bookings(session, found["items"])}


@blueprint.route("/v1/bookings/<booking_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, BookingSchema)
def get_booking(booking_id: str) -> dict[str, Any]:
    """Show a booking."""
    session = current_session()
    booking = find_mine(session, decode_path_id("bkg", booking_id))
    remember_etag(booking)
    return show_bookings(session, [booking])[0]


@blueprint.route("/v1/bookings/<booking_id>", methods=["PATCH"])
@allow(*BOOKERS)
@blueprint.arguments(BookingPatchSchema)
@blueprint.response(200, BookingSchema)
def patch_booking(body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    """Move a booking, change its extras or note: this one, this and the following, or all of its series.

    With `preview` the answer is what would come of it, new price included, and nothing changes.
    """
    session, principal = current_session(), current_principal()
    require_staff_fields(principal, body)
    booking = find_mine(session, decode_path_id("bkg", booking_id), lock=True)
    check_if_match(booking)
    rows = change_booking(session, booking, _change(body), asker_of(principal, override=body["override"]))
    shown = show_series(session, booking, rows, name=customer_name(session, booking))
    if body["preview"]:
        session.rollback()
    else:
        remember_etag(booking)
    return shown


@blueprint.route("/v1/bookings/<booking_id>/cancellation", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, CancellationSchema)
def preview_cancellation(booking_id: str) -> dict[str, Any]:
    """Say what cancelling would cost now."""
    session = current_session()
    booking = find_mine(session, decode_path_id("bkg", booking_id))
    offer = endings.offer_cancellation(session, booking, asker_of(current_principal()))
    return _show_offer(session, booking, offer, preview=True)


@blueprint.route("/v1/bookings/<booking_id>/cancellation", methods=["POST"])
@allow(*BOOKERS)
@idempotent()
@blueprint.arguments(CancellationInSchema)
@blueprint.response(200, CancellationSchema)
def cancel_booking(body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    """Cancel a booking, or say what that would cost (`preview`)."""
    session, asker = current_session(), asker_of(current_principal())
    booking = find_mine(session, decode_path_id("bkg", booking_id), lock=True)
    check_if_match(booking)
    offer = endings.offer_cancellation(session, booking, asker, scope=body["scope"], waive_fee=body["waive_fee"])
    if not body["preview"]:
        endings.cancel(session, offer, reason=body["reason"])
        remember_etag(booking)
    return _show_offer(session, booking, offer, preview=body["preview"])


@blueprint.route("/v1/bookings/<booking_id>/approval", methods=["POST"])
@allow(*DESK)
@idempotent()
@blueprint.arguments(ApprovalInSchema)
@blueprint.response(200, BookingSchema)
def decide_booking(body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    """Approve or reject a tentative booking."""
    session = current_session()
    booking = find_mine(session, decode_path_id("bkg", booking_id), lock=True)
    check_if_match(booking)
    if body["approved"]:
        lifecycle.approve(session, booking)
    else:
        lifecycle.reject(session, booking, body["reason"])
    remember_etag(booking)
    return show_bookings(session, [booking])[0]


@blueprint.route("/v1/bookings/<booking_id>/check-in", methods=["POST"])
@allow(*BOOKERS)
@idempotent()
@blueprint.arguments(EmptySchema)
@blueprint.response(200, BookingSchema)
def check_in_booking(_body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    """Say that the visitor is here."""
    session = current_session()
    booking = find_mine(session, decode_path_id("bkg", booking_id), lock=True)
    lifecycle.check_in(session, booking, asker_of(current_principal()))
    remember_etag(booking)
    return show_bookings(session, [booking])[0]


def _is_strange(body: dict[str, Any]) -> bool:
    """Whether somebody checks out whose e-mail address is all that is known of them."""
    return body.get("checkout_id") is not None and not body["as_member"]


def _request(session: TenantSession, principal: Principal, body: dict[str, Any]) -> bookings.BookingRequest:
    member_id, company_id = customer_of(principal, body)
    return bookings.BookingRequest(
        resource_id=body["resource_id"],
        interval=Interval(body["start"], body["end"]),
        member_id=member_id,
        company_id=company_id,
        # An e-mail address typed on the storefront proves nothing: no company pays for it.
        is_personal=body["is_personal"] or (body.get("checkout_id") is not None and not principal.is_staff),
        recurrence=_recurrence(session, body),
        terms=Terms(
            extras=extra_orders(body.get("extras") or ()),
            custom_price=body.get("custom_price"),
            is_waived=body.get("is_free", False),
        ),
        promo_code=body.get("promo_code"),
        payment=body["payment"],
        note=body.get("note"),
        private_note=body.get("private_note"),
        checkout_id=body.get("checkout_id"),
        asks_approval=body.get("asks_approval", False),
    )


def _recurrence(session: TenantSession, body: dict[str, Any]) -> Recurrence | None:
    asked = body.get("recurrence")
    if not asked:
        return None
    statement = select(Location.timezone).join(Resource, Resource.location_id == Location.id)
    zone = session.scalar(statement.where(Resource.id == body["resource_id"])) or "UTC"
    return Recurrence(asked["rrule"], read_exdates(asked.get("exdates", ()), zone))


def extra_orders(items: Any) -> tuple[ExtraOrder, ...]:
    """Extras of a request body."""
    return tuple(ExtraOrder(item["code"], item["quantity"]) for item in items)


def _change(body: dict[str, Any]) -> Change:
    return Change(
        start=body.get("start"),
        end=body.get("end"),
        resource_id=body.get("resource_id"),
        extras=extra_orders(body["extras"]) if "extras" in body else None,
        custom_price=body.get("custom_price"),
        # From members it is always false: that is no reason to price anything anew (PRI-1).
        is_waived=body.get("is_free") if current_principal().is_staff else None,
        notes={name: body[name] for name in ("note", "private_note") if name in body},
        scope=body["scope"],
    )


def _show_offer(
    session: TenantSession, booking: Booking, offer: endings.CancellationOffer, *, preview: bool
) -> dict[str, Any]:
    if len(offer.bookings) > 1:
        shown = show_series(session, booking, offer.bookings, name=customer_name(session, booking))
    else:
        shown = show_bookings(session, [booking])[0]
    return {
        **shown,
        "fee": offer.fee,
        "percent": offer.percent,
        "credits_forfeited": offer.credits_forfeited,
        "free_until": offer.free_until,
        "preview": preview,
    }
