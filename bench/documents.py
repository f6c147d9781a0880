"""PDFs per second on one core, beside bare typst compiling the same page from the same data.

    python bench/documents.py [--seconds 5]

Bare typst: one kept compiler, the data ready, nothing else. Ours starts from the stored bytes of the issued document.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import typst

from invoicing.documents.einvoice import einvoice_xml
from invoicing.documents.facturx_pdf import factur_x
from invoicing.documents.layout import document_layout
from invoicing.documents.typesetting import TEMPLATE, typeset

PAGES = 2000
ISSUED = date(2027, 3, 1)


def line(position: int, **values: Any) -> dict[str, Any]:
    """A line as it is stored."""
    return {
        "position": position,
        "explain": None,
        "details": [],
        "period_start": None,
        "period_end": None,
        "quantity": "1",
        "discount_percent": "0",
        "discount_minor": 0,
        "prices_include_tax": False,
        "taxes": [{"category": "S", "percent": "19", "name": "", "reason": "", "amount_minor": 5700}],
        **values,
    }


def content() -> dict[str, Any]:
    """An invoice of three lines."""
    room = {"kind": "booking", "unit_price_minor": 4500, "amount_minor": 4500, "net_minor": 4500, "total_minor": 5355}
    desk = {"kind": "membership", "unit_price_minor": 30000, "amount_minor": 30000, "net_minor": 30000}
    period = {"period_start": "2027-03-01", "period_end": "2027-04-01"}
    return {
        "kind": "invoice",
        "number": "INV-2027-00002",
        "currency": "EUR",
        "language": "en",
        "issue_date": ISSUED.isoformat(),
        "due_date": "2027-03-08",
        "note": None,
        "customer": {"name": "Example Member", "address": {"street": "Kai 2", "city": "Hamburg"}},
        "seller": {
            "name": "Harbour Works",
            "country": "DE",
            "profile": {"address": {"street": "Kai 1", "city": "Hamburg"}, "vat_number": "DE136695976"},
            "payment_instructions": "Please transfer.",
            "footer": None,
        },
        "lines": [
            line(1, description="Flex desk", total_minor=35700, **desk, **period),
            line(2, description="Blue Room, 15 Feb 2027, 09:00–12:00", **room),
            line(3, description="Blue Room, 16 Feb 2027, 09:00–12:00", **room),
        ],
        "discount_total_minor": 0,
        "subtotal_minor": 39000,
        "tax_breakdown": [
            {
                "category": "S",
                "percent": "19",
                "name": "",
                "reason": "",
                "taxable_minor": 39000,
                "tax_minor": 7410,
            }
        ],
        "tax_total_minor": 7410,
        "total_minor": 46410,
    }


STATE = {
    "state": "open",
    "payment_state": "unpaid",
    "paid_minor": 0,
    "credited_minor": 0,
    "payable_minor": 46410,
    "collect": False,
}


def rate(make: Callable[[], object], seconds: int) -> int:
    """How often ``make`` runs in a second of processor time."""
    make()
    count, started = 0, time.process_time_ns()
    while time.process_time_ns() - started < seconds * 1_000_000_000:
        make()
        count += 1
    return count * 1_000_000_000 // (time.process_time_ns() - started)


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    seconds = parser.parse_args().seconds
    # Every page is another one: typst remembers what it has laid out, and equal pages would cost nothing.
    numbers = itertools.count(1)
    pages = [json.dumps({**content(), "number": f"INV-2027-{number:05}"}) for number in range(PAGES)]
    ready = [{"data": json.dumps(document_layout(json.loads(page), STATE))} for page in pages]
    compiler = typst.Compiler(TEMPLATE, ignore_system_fonts=True)
    stamp = datetime(2027, 3, 1, tzinfo=UTC)

    def bare() -> object:
        return compiler.compile(format="pdf", sys_inputs=ready[next(numbers) % PAGES], timestamp=stamp)

    def ours() -> object:
        return typeset(document_layout(json.loads(pages[next(numbers) % PAGES]), STATE), ISSUED)

    def with_xml() -> object:
        return factur_x(json.loads(pages[next(numbers) % PAGES]))

    print(f"{platform.platform()}, Python {platform.python_version()}")
    ceiling = rate(bare, seconds)
    for name, make in (("PDF", ours), ("Factur-X", with_xml), ("XML alone", lambda: einvoice_xml(content()))):
        made = rate(make, seconds)
        print(f"{name:<10} {made:>5}/s of processor time   {made * 100 // ceiling:>4} % of bare typst ({ceiling}/s)")


if __name__ == "__main__":
    main()
