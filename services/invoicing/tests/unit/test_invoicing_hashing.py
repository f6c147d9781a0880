"""DOC-3: canonical bytes and the chain."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

import pytest

from common.money import Money
from invoicing.domain.hashing import GENESIS, ChainLink, chain_hash, verify_chain
from invoicing.services.canonical import canonical_bytes


def chain(length: int) -> list[ChainLink]:
    links, previous = [], GENESIS
    for position in range(1, length + 1):
        content = canonical_bytes({"number": f"INV-{position}", "total": Money(position, "EUR")})
        links.append(ChainLink(position, content, previous, chain_hash(previous, content)))
        previous = links[-1].hash
    return links


def test_canonical_bytes_are_stable_and_readable_doc_3() -> None:
    content = canonical_bytes(
        {
            "total": Money(1000, "EUR"),
            "lines": ({"percent": Decimal("19.00"), "name": "Bürotisch"},),
            "date": date(2027, 3, 1),
            "at": datetime(2027, 3, 1, 9, tzinfo=timezone(timedelta(hours=1))),
            "id": UUID(int=7),
            "paid": None,
        }
    )
    assert content.decode() == (
        '{"at":"2027-03-01T08:00:00Z","date":"2027-03-01","id":"00000000-0000-0000-0000-000000000007",'
        '"lines":[{"name":"Bürotisch","percent":"19"}],"paid":null,"total":{"amount_minor":1000,"currency":"EUR"}}'
    )
    assert canonical_bytes(json.loads(content)) == content


def test_equal_values_have_equal_bytes_doc_3() -> None:
    assert canonical_bytes({"a": Decimal("1E+2"), "b": 1}) == canonical_bytes({"b": 1, "a": Decimal("100.00")})
    assert canonical_bytes({"a": Decimal("-0.0")}) == canonical_bytes({"a": Decimal(0)})


@pytest.mark.parametrize("value", [1.0, {"x": [0.5]}, {1: 2}, Decimal("NaN"), b"bytes", {1, 2}])
def test_what_has_no_exact_form_is_refused_doc_3(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_bytes({"value": value})


def test_naive_instants_are_refused_doc_3() -> None:
    with pytest.raises(ValueError, match="naive"):
        canonical_bytes({"at": datetime(2027, 3, 1, tzinfo=UTC).replace(tzinfo=None)})


def test_the_hash_covers_the_predecessor_and_the_content_doc_3() -> None:
    assert chain_hash(GENESIS, b"x") == sha256(bytes(32) + b"x").hexdigest()
    assert chain_hash(chain_hash(GENESIS, b"x"), b"x") != chain_hash(GENESIS, b"x")


def test_an_intact_chain_verifies_also_from_its_middle_doc_3() -> None:
    links = chain(5)
    assert verify_chain(iter(links)).intact
    assert verify_chain(links).checked == 5
    assert verify_chain(links[2:], after=links[1].hash, first_position=3).last_hash == links[-1].hash
    assert verify_chain([]).last_hash == GENESIS


def rehashed(link: ChainLink) -> ChainLink:
    changed = link.canonical.replace(b"INV", b"FAKE")
    return replace(link, canonical=changed, hash=chain_hash(link.previous_hash, changed))


@pytest.mark.parametrize(
    ("tamper", "broken_at"),
    [
        pytest.param(lambda c: [c[0], replace(c[1], canonical=b"{}"), *c[2:]], 2, id="changed"),
        pytest.param(lambda c: [c[0], rehashed(c[1]), *c[2:]], 3, id="changed and rehashed"),
        pytest.param(lambda c: [c[0], *c[2:]], 3, id="removed"),
        pytest.param(lambda c: [c[0], c[2], c[1], c[3]], 3, id="swapped"),
        pytest.param(lambda c: [c[0], c[0], *c[1:]], 1, id="doubled"),
        pytest.param(lambda c: [replace(c[0], previous_hash="1" * 64), *c[1:]], 1, id="another beginning"),
    ],
)
def test_tampering_is_found_where_it_happened_doc_3(
    tamper: Callable[[list[ChainLink]], list[ChainLink]], broken_at: int
) -> None:
    report = verify_chain(tamper(chain(4)))
    assert not report.intact
    assert report.broken_at == broken_at
    assert report.reason
