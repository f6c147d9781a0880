"""Members to be billed by a run, and the check that each was billed once whatever happened to the run."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import select

from invoicing.models import ChainedDocument
from invoicing.services.billing.runs import start_run
from invoicing.services.canonical import canonical_bytes
from invoicing.services.chain import verify_documents

MEMBERS = 12


def crowd(house: Any, members: int = MEMBERS) -> None:
    """Members with a membership and a booking each."""
    for number in range(members):
        house.member = house.add_member(display_name=f"Member {number}")
        house.join("2027-02-12")
        house.feed(house.booking())


def start(house: Any) -> Any:
    """A stored run over everything, not begun."""
    with house.database.session(house.organization_id) as session:
        run = start_run(session, as_of=date(2027, 3, 1))
        session.commit()
        return run.id


def check_everything_billed_once(house: Any, members: int = MEMBERS) -> None:
    """Each period and each booking once, numbers without gaps, the chain intact."""
    invoices = house.invoices()
    periods = Counter(
        (line["membership_id"], line["period"]["start"])
        for invoice in invoices
        for line in invoice["lines"]
        if line["membership_id"]
    )
    assert len(periods) == 2 * members
    assert set(periods.values()) == {1}
    bookings = Counter(line["booking_id"] for i in invoices for line in i["lines"] if line["booking_id"])
    assert (len(bookings), set(bookings.values())) == (members, {1})
    numbers = sorted(invoice["number"] for invoice in invoices)
    assert numbers == [f"INV-2027-{n:05}" for n in range(1, 2 * members + 1)]
    with house.database.session(house.organization_id) as session:
        report = verify_documents(session)
        issued = session.scalars(select(ChainedDocument.canonical)).all()
    assert (report.intact, report.checked) == (True, 2 * members)
    assert all(canonical_bytes(msgspec.json.decode(each)) == each for each in issued)
    assert len([key for key in house.messages() if key == "invoicing.invoice-issued.v1"]) == 2 * members
