"""Messages as the outside sees them: ids with their prefixes, names as in the API, nothing internal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

PREFIXES = {
    "booking": "bkg",
    "checkout": "chk",
    "company": "com",
    "credit_note": "crn",
    "deposit": "dep",
    "fee": "fee",
    "gateway": "gtw",
    "invoice": "inv",
    "location": "loc",
    "member": "mem",
    "membership": "mbs",
    "notification": "ntf",
    "organization": "org",
    "parent": "res",
    "pass": "pas",
    "payment": "pay",
    "payment_method": "pmt",
    "plan": "pln",
    "promo_code": "prm",
    "purchase": "pur",
    "rate": "rat",
    "refund": "ref",
    "resource": "res",
    "series": "ser",
}
_INTERNAL = {"pdf", "collect", "collect_now", "sending", "request_id"}


def public_data(own_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
    """A message's body (JSON types) in API style. ``own_id`` (``invoice_id``) is called ``id``, and comes first."""
    first = {} if own_id is None else {"id": None}
    return first | {
        "id" if name == own_id else "name" if name == "display_name" else name: _value(name, value)
        for name, value in body.items()
        if name not in _INTERNAL
    }


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {inner: _value(inner, item) for inner, item in value.items()}
    kind = name.removesuffix("_ids") if name.endswith("_ids") else name.removesuffix("_id")
    if isinstance(value, list):
        return [_prefixed(kind, item) if name.endswith("_ids") else _value("", item) for item in value]
    return _prefixed(kind, value) if name.endswith("_id") else value


def _prefixed(kind: str, value: Any) -> Any:
    prefix = PREFIXES.get(kind)
    if prefix is None or not isinstance(value, str):
        return value
    try:
        return f"{prefix}_{UUID(value).hex}"
    except ValueError:  # ids inside an operator's own settings may be in API style already
        return value
