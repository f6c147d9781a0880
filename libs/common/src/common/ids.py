"""Identifiers: UUIDv7 inside, prefixed strings (``mem_…``) at the edge of the API only."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7

from common.errors import NotFoundError


class InvalidIdError(ValueError):
    """The text is no id of the expected kind."""


def new_id() -> UUID:
    """A fresh UUIDv7: unique everywhere and sorted by the time of its making."""
    return uuid7()


def encode_id(prefix: str, value: UUID) -> str:
    """``encode_id("mem", uuid)`` -> ``mem_<32 hex digits>``."""
    return f"{prefix}_{value.hex}"


def decode_id(prefix: str, text: str) -> UUID:
    """The UUID inside ``<prefix>_<32 hex digits>``; raises InvalidIdError for anything else."""
    head, _, digits = text.rpartition("_")
    if head != prefix or len(digits) != 32:
        raise InvalidIdError(f"not an id of the form {prefix}_…")
    try:
        return UUID(hex=digits)
    except ValueError as error:
        raise InvalidIdError(f"not an id of the form {prefix}_…") from error


def decode_path_id(prefix: str, text: str) -> UUID:
    """The UUID of an id in a path; what is no such id names nothing: NotFoundError."""
    try:
        return decode_id(prefix, text)
    except InvalidIdError as error:
        raise NotFoundError("not_found", "there is no such thing") from error
