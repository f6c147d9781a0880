"""Accounts drawn up from what the API shows: does everything that was had turn up where it must, exactly once?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

from client import GatewayClient

Item = dict[str, Any]
_ARRIVED = {"succeeded", "partially_refunded", "refunded"}


@dataclass(frozen=True)
class Accounts:
    """Everything that an organisation's owner can list."""

    api: GatewayClient

    def every(self, path: str) -> list[Item]:
        """All items of a list."""
        return list(self._pages(path))

    def _pages(self, path: str) -> Iterator[Item]:
        cursor = ""
        while True:
            page = self.api.get(f"{path}{'&' if '?' in path else '?'}limit=200{cursor}")
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={page['next_cursor']}"

    @cached_property
    def bookings(self) -> Mapping[str, Item]:
        """By id."""
        return {each["id"]: each for each in self.every("/v1/bookings")}

    @cached_property
    def invoices(self) -> list[Item]:
        """Issued and not void, in the order of their numbers, with lines."""
        found = [each for each in self.every("/v1/invoices") if each["state"] not in {"draft", "void"}]
        whole = [self.api.get(f"/v1/invoices/{each['id']}") for each in found]
        return sorted(whole, key=lambda each: each["number"])

    @cached_property
    def credit_notes(self) -> list[Item]:
        """With lines."""
        return [self.api.get(f"/v1/credit-notes/{each['id']}") for each in self.every("/v1/credit-notes")]

    @cached_property
    def lines(self) -> list[Item]:
        """Lines of all invoices, each with its invoice and with what was credited of it, net."""
        credited: Counter[str] = Counter()
        for note in self.credit_notes:
            for line in note["lines"]:
                credited[line["invoice_line_id"]] += line["net"]["amount_minor"]
        return [
            {**line, "invoice": invoice, "credited": credited[line["id"]]}
            for invoice in self.invoices
            for line in invoice["lines"]
        ]


def faults(api: GatewayClient) -> list[str]:
    """What does not add up, in words; empty when the books are right."""
    accounts = Accounts(api)
    checks = (_numbers, _sums, _bookings_billed, _memberships_tile, _money, _credits, _mails)
    return [fault for check in checks for fault in check(accounts)]


def _numbers(accounts: Accounts) -> Iterator[str]:
    numbers = [int(each["number"].rpartition("-")[2]) for each in accounts.invoices]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"invoice numbers have gaps: {numbers}"


def _sums(accounts: Accounts) -> Iterator[str]:
    for invoice in accounts.invoices:
        net = sum(line["net"]["amount_minor"] for line in invoice["lines"])
        subtotal, tax, total, paid, credited, payable = (
            invoice[name]["amount_minor"] for name in ("subtotal", "tax_total", "total", "paid", "credited", "payable")
        )
        if (net, subtotal + tax) != (subtotal, total) or total - paid - credited != payable:
            yield f"{invoice['number']} does not add up: {net} {subtotal} {tax} {total} {paid} {credited} {payable}"


def _bookings_billed(accounts: Accounts) -> Iterator[str]:
    """A booking that took place is on an invoice of whoever pays for it, for its price; others only by their fee."""
    billed: dict[str, list[Item]] = defaultdict(list)
    for line in accounts.lines:
        if line["booking_id"]:
            billed[line["booking_id"]].append(line)
    for booking in accounts.bookings.values():
        lines = billed.pop(booking["id"], [])
        charged = sum(line["net"]["amount_minor"] - line["credited"] for line in lines)
        if charged != _owed(booking):
            yield f"booking {booking['id']} ({booking['status']}) owes {_owed(booking)} and was charged {charged}"
        payer = booking["member_id"] if booking["is_personal"] else booking["company_id"] or booking["member_id"]
        if any(line["invoice"]["customer_id"] != payer for line in lines):
            yield f"booking {booking['id']} is on the invoice of somebody else"
    if billed:
        yield f"billed without a booking: {list(billed)}"


def _owed(booking: Item) -> int:
    if booking["status"] in {"cancelled", "rejected", "expired"}:
        fee = booking["cancellation_fee"]
        return int(fee["amount_minor"]) if fee else 0
    return int(booking["price"]["amount_minor"])


def _memberships_tile(accounts: Accounts) -> Iterator[str]:
    """The periods of a membership follow one another without gap or overlap, to its end or to where it is billed."""
    periods: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in accounts.lines:
        if line["kind"] == "membership" and line["net"]["amount_minor"] > 0:
            periods[line["membership_id"]].append((line["period"]["start"], line["period"]["end"]))
    for membership in accounts.every("/v1/memberships"):
        found = sorted(periods.get(membership["id"], []))
        if any(earlier[1] != later[0] for earlier, later in pairwise(found)):
            yield f"membership {membership['id']} is billed with gaps or twice: {found}"
        if found and found[0][0] != membership["start_date"]:
            yield f"membership {membership['id']} begins on {membership['start_date']}, billed from {found[0][0]}"


def _money(accounts: Accounts) -> Iterator[str]:
    """What invoices have been paid is what was charged for them, less what was given back."""
    arrived: Counter[str] = Counter()
    for payment in accounts.every("/v1/payments"):
        if payment["state"] in _ARRIVED:
            arrived[payment["invoice_id"]] += payment["amount"]["amount_minor"] - payment["refunded"]["amount_minor"]
    for invoice in accounts.invoices:
        if arrived[invoice["id"]] != invoice["paid"]["amount_minor"]:
            yield f"{invoice['number']}: {arrived[invoice['id']]} arrived, {invoice['paid']['amount_minor']} is noted"


def _credits(accounts: Accounts) -> Iterator[str]:
    """Grants add up, are spent by their owners only, and bookings spent what they say."""
    grants = {each["id"]: each for each in accounts.every("/v1/credits")}
    spent: dict[str, Decimal] = defaultdict(Decimal)
    for grant in grants.values():
        parts = sum(Decimal(grant[name]) for name in ("available", "reserved", "consumed", "expired"))
        if parts != Decimal(grant["hours"]) or any(
            Decimal(grant[name]) < 0 for name in ("available", "reserved", "consumed", "expired")
        ):
            yield f"grant {grant['id']} does not add up: {grant}"
    for entry in accounts.every("/v1/credits/ledger"):
        if entry["booking_id"] is None:
            continue
        booking, grant = accounts.bookings[entry["booking_id"]], grants[entry["grant_id"]]
        owners = {booking["member_id"], None if booking["is_personal"] else booking["company_id"]}
        if (grant["member_id"] or grant["company_id"]) not in owners:
            yield f"booking {booking['id']} spent hours of {grant['member_id'] or grant['company_id']}"
        sign = {"reserve": 1, "release": -1}.get(entry["kind"], 0)
        spent[booking["id"]] += sign * Decimal(entry["hours"])
    for booking in accounts.bookings.values():
        if booking["status"] in {"confirmed", "completed"} and spent[booking["id"]] != Decimal(booking["credits_used"]):
            yield f"booking {booking['id']} says {booking['credits_used']} hours, and spent {spent[booking['id']]}"


def _mails(accounts: Accounts) -> Iterator[str]:
    """One mail for each invoice that was sent and one receipt for each payment."""
    mails = Counter((each["template"], each["invoice_id"]) for each in accounts.every("/v1/notifications"))
    for invoice in accounts.invoices:
        if invoice["sent_at"] and mails["invoice", invoice["id"]] != 1:
            yield f"{invoice['number']} was mailed {mails['invoice', invoice['id']]} times"
    paid = Counter(p["invoice_id"] for p in accounts.every("/v1/payments") if p["state"] in _ARRIVED)
    for invoice_id, payments in paid.items():
        if mails["receipt", invoice_id] != payments:
            yield f"{payments} payments of {invoice_id}, {mails['receipt', invoice_id]} receipts"
