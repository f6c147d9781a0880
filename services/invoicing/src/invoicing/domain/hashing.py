"""The chain over issued documents: what their canonical bytes are made of, their hashes, and the check (DOC-3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from common.clock import as_utc
from common.money import Money

GENESIS = "0" * 64  # what the first document of a chain names as its predecessor


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One issued document as stored: its place in the chain (1, 2, 3 …), its bytes, and both hashes in hex."""

    position: int
    canonical: bytes
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """``broken_at`` is the first position that does not fit, with the reason; None when all ``checked`` links do."""

    checked: int
    last_hash: str
    broken_at: int | None = None
    reason: str = ""

    @property
    def intact(self) -> bool:
        """Whether every link was as issued."""
        return self.broken_at is None


def chain_hash(previous_hash: str, canonical: bytes) -> str:
    """SHA-256 in hex over the predecessor's hash (its 32 bytes; `GENESIS` for the first) and the document's bytes."""
    return sha256(bytes.fromhex(previous_hash) + canonical).hexdigest()


def verify_chain(links: Iterable[ChainLink], *, after: str = GENESIS, first_position: int = 1) -> ChainReport:
    """Check links in order, as a stream, and stop at the first that was changed, removed or put in."""
    previous, expected = after, first_position
    for link in links:
        if reason := _fault(link, previous, expected):
            return ChainReport(expected - first_position, previous, link.position, reason)
        previous, expected = link.hash, expected + 1
    return ChainReport(expected - first_position, previous)


def _fault(link: ChainLink, previous: str, expected: int) -> str:
    if link.position != expected:
        return f"position {expected} is missing"
    if link.previous_hash != previous:
        return "it does not name the document before it"
    if chain_hash(previous, link.canonical) != link.hash:
        return "its content is not what was issued"
    return ""


_PLAIN = frozenset({str, int, bool, type(None)})


def plain(value: object) -> object:
    """The JSON form of a value; raises TypeError for what has no exact one.

    Plain parts are passed over without a call, for a run hashes every invoice.
    """
    if type(value) in _PLAIN:
        return value
    # The exact type first: asking an abstract class costs ten times as much.
    if type(value) is dict or isinstance(value, Mapping):
        for key in value:
            if type(key) is not str:
                raise TypeError("keys of a canonical document are strings")
        return {key: item if type(item) in _PLAIN else plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [item if type(item) in _PLAIN else plain(item) for item in value]
    return _plain_value(value)


def _plain_value(value: object) -> object:
    if isinstance(value, Money):
        return {"amount_minor": value.amount_minor, "currency": value.currency}
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, datetime):
        return as_utc(value).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


@lru_cache(maxsize=4096)
def plain_decimal(value: Decimal) -> str:
    """The one text of a number: 19 for 19.00. Raises TypeError for what is not finite."""
    if not value.is_finite():
        raise TypeError("only finite numbers have a canonical form")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
