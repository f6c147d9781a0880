"""The HTTP door of a service: app, problems, sessions, lists, schemas, idempotency."""

from common.http.app import ServiceApp, create_service_app
from common.http.audited import changes_nothing
from common.http.blueprint import Blueprint
from common.http.etags import check_if_match, remember_etag
from common.http.idempotency import idempotent
from common.http.lists import ListQuery, page, page_schema
from common.http.schemas import (
    Id,
    Instant,
    LongText,
    MoneyField,
    Percent,
    Quantity,
    StrictSchema,
    Text,
)
from common.http.work import bind_session, current_session

__all__ = [
    "Blueprint",
    "Id",
    "Instant",
    "ListQuery",
    "LongText",
    "MoneyField",
    "Percent",
    "Quantity",
    "ServiceApp",
    "StrictSchema",
    "Text",
    "bind_session",
    "changes_nothing",
    "check_if_match",
    "create_service_app",
    "current_session",
    "idempotent",
    "page",
    "page_schema",
    "remember_etag",
]
