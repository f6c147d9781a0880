"""``/v1/notifications``."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate
from sqlalchemy import ColumnElement, and_, false, or_, select, true

from common.auth import Principal, Role, allow, current_principal
from common.errors import NotFoundError
from common.http import Blueprint, Id, ListQuery, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id, encode_id
from notifications.api.schemas import (
    STATES,
    BounceSchema,
    EmptySchema,
    NotificationSchema,
    WholeNotificationSchema,
)
from notifications.domain.templates import TEMPLATES
from notifications.models import Attachment, CompanyCopy, MemberCopy, Notification
from notifications.services import resending

blueprint = Blueprint("notifications", __name__, description="Who was told what")
DESK = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK)
_INTERNAL = tuple(name for name, template in TEMPLATES.items() if template.internal)
_FILTERS = ("member_id", "company_id", "invoice_id", "booking_id", "payment_id", "template", "state")


class NotificationQuery(ListQuery):
    """Filters of the list."""

    member_id = Id("mem")
    company_id = Id("com")
    invoice_id = Id("inv")
    booking_id = Id("bkg")
    payment_id = Id("pay")
    template = fields.String(validate=validate.OneOf(tuple(TEMPLATES)))
    state = fields.String(validate=validate.OneOf(STATES))


@blueprint.route("/v1/notifications", methods=["GET"])
@allow(*Role)
@blueprint.arguments(NotificationQuery, location="query")
@blueprint.response(200, page_schema(NotificationSchema))
def list_notifications(query: dict[str, Any]) -> dict[str, Any]:
    """List notifications, newest first; members see their own."""
    conditions = [getattr(Notification, name) == query[name] for name in _FILTERS if name in query]
    statement = select(Notification).where(_visible(current_principal()), *conditions)
    sorts = {"created_at": Notification.created_at}
    found = page(current_session(), statement, query, key=Notification.id, sorts=sorts)
    return {**found, "items": [_shown(row) for row in found["items"]]}


@blueprint.route("/v1/notifications/<notification_id>", methods=["GET"])
@allow(*Role)
@blueprint.response(200, WholeNotificationSchema)
def get_notification(notification_id: str) -> dict[str, Any]:
    """Show a notification with its body and attachments."""
    row = _find(notification_id)
    remember_etag(row)
    return _whole(row)


@blueprint.route("/v1/notifications/<notification_id>/attachments/<attachment_id>", methods=["GET"])
@allow(*Role)
@blueprint.response(200, content_type="application/octet-stream")
def get_attachment(notification_id: str, attachment_id: str) -> Response:
    """Download a file that went along."""
    row = _find(notification_id)
    wanted = decode_path_id("att", attachment_id)
    statement = select(Attachment).where(Attachment.notification_id == row.id, Attachment.id == wanted)
    file = current_session().scalars(statement).one_or_none()
    if file is None:
        raise NotFoundError("attachment_not_found", "there is no such attachment")
    response = Response(file.content, content_type=file.content_type)
    response.headers.set("Content-Disposition", "attachment", filename=file.filename)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.route("/v1/notifications/<notification_id>/resend", methods=["POST"])
@allow(*DESK)
@idempotent()
@blueprint.arguments(EmptySchema)
@blueprint.response(200, WholeNotificationSchema)
def resend(_body: dict[str, Any], notification_id: str) -> dict[str, Any]:
    """Send a notification once more."""
    session = current_session()
    row = resending.find_notification(session, _find(notification_id).id, lock=True)
    resending.resend(session, row)
    return _whole(row)


@blueprint.route("/v1/notifications/<notification_id>/bounces", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent()
@blueprint.arguments(BounceSchema)
@blueprint.response(200, NotificationSchema)
def report_bounce(body: dict[str, Any], notification_id: str) -> dict[str, Any]:
    """Report that a mail came back: for the bounce hook of a mail provider, with an API key.

    The id stands in the mail's Message-ID before the first dot.
    """
    session = current_session()
    row = resending.find_notification(session, _find(notification_id).id, lock=True)
    resending.record_bounce(session, row, body["reason"], permanent=body["kind"] == "hard")
    return _shown(row)


def _find(notification_id: str) -> Notification:
    statement = select(Notification).where(
        Notification.id == decode_path_id("ntf", notification_id), _visible(current_principal())
    )
    row = current_session().scalars(statement).one_or_none()
    if row is None:
        raise NotFoundError("notification_not_found", "there is no such notification")
    return row


def _visible(principal: Principal) -> ColumnElement[bool]:
    """Staff see all of their locations; members their own, billing persons also their company's (ACC-1)."""
    if principal.is_staff:
        return _at_locations(principal)
    own = Notification.member_id == principal.member_id if principal.member_id else false()
    companys = Notification.company_id == principal.company_id if principal.company_id else false()
    return or_(own, and_(companys, Notification.member_id.is_(None))) if principal.is_billing_person else own


def _at_locations(principal: Principal) -> ColumnElement[bool]:
    """Of staff who work at some locations: mail to customers of these and of none. The team's own is for all of it."""
    if principal.location_ids is None:
        return true()
    elsewhere = [
        own.in_(select(copy.id).where(copy.location_id.not_in(principal.location_ids)))
        for own, copy in ((Notification.member_id, MemberCopy), (Notification.company_id, CompanyCopy))
    ]
    return and_(Notification.template.not_in(_INTERNAL), *(found.is_not(True) for found in elsewhere))


def _shown(row: Notification) -> dict[str, Any]:
    names = (name.attribute or key for key, name in NotificationSchema().fields.items() if key != "body")
    return {name: getattr(row, name) for name in names} | {"body": row.text if _may_read(row) else None}


def _whole(row: Notification) -> dict[str, Any]:
    readable = _may_read(row)
    files = [
        {"filename": file.filename, "content_type": file.content_type, "size": file.size, "href": _href(file)}
        for file in row.attachments
    ]
    parts = {"html": row.html if readable else None, "text": row.text if readable else None}
    return _shown(row) | parts | {"attachments": files}


def _href(file: Attachment) -> str:
    return f"/v1/notifications/{encode_id('ntf', file.notification_id)}/attachments/{encode_id('att', file.id)}"


def _may_read(row: Notification) -> bool:
    """A link that signs somebody in is shown to nobody but the owner of a rehearsal, whose mail stays in the app."""
    if not TEMPLATES[row.template].secret:
        return True
    return row.channel == "in_app" and current_principal().role is Role.OWNER
