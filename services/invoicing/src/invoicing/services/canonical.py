"""The one byte form of a document's content, which the chain hashes (DOC-3)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from invoicing.domain.hashing import plain

# Sorts the keys of dictionaries; structures keep the order of their fields.
encode_sorted = msgspec.json.Encoder(order="deterministic").encode


def canonical_bytes(document: Mapping[str, object]) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8.

    Equal values give equal bytes, also after a round trip through the database (19 and 19.00 are one rate). Raises
    TypeError for floats and other types that have no exact form, ValueError for naive datetimes.
    """
    return encode_sorted(plain(document))
