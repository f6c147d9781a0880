"""From the canonical document (and the state of its payment) to the texts that stand on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from common.money import Money
from contracts.phrases import translated
from invoicing.documents.brand import Brand
from invoicing.documents.labels import labels

Content = Mapping[str, Any]
PLAIN = Brand()
_COLOURS = {
    "paid": "#1b7f4b",
    "void": "#5a6472",
    "processing": "#2c5fa8",
    "partially_paid": "#a86a12",
    "failed": "#b3261e",
    "refunded": "#5a6472",
    "unpaid": "#a86a12",
    "uncollectible": "#a86a12",
}


class Wording:
    """Formats money, dates and numbers for people, in a document's language and currency."""

    def __init__(self, language: str, currency: str) -> None:
        self.language, self.currency = language, currency
        # English documents of European spaces write dates day first.
        self.locale = "en_GB" if language == "en" else language
        self.labels = labels(language)
        self._locale = Locale.parse(self.locale)

    def money(self, minor: int) -> str:
        """``1.234,56 €``."""
        return format_currency(Money(minor, self.currency).decimal(), self.currency, locale=self.locale)

    def day(self, value: str | date) -> str:
        """``12 Feb 2027``."""
        day = date.fromisoformat(value) if isinstance(value, str) else value
        return format_date(day, "d. MMMM y" if self.language == "de" else "d MMM y", locale=self.locale)

    def number(self, value: str) -> str:
        """A quantity without needless zeros."""
        return format_decimal(Decimal(value), "#,##0.######", locale=self.locale)

    def percent(self, value: str | Decimal) -> str:
        """``19%``, in German ``19 %``."""
        pattern = self._locale.percent_formats[None].pattern.replace("#,##0", "#,##0.####")
        return format_percent(Decimal(value) / 100, pattern, locale=self._locale)

    def country(self, code: str) -> str:
        """The name of a country in the document's language; what is no code stays as it is."""
        return str(self._locale.territories.get(code.upper(), code))


def document_layout(content: Content, state: Content | None = None, brand: Brand = PLAIN) -> dict[str, Any]:
    """Everything on the page. ``state``: payment_state, state, paid_minor, credited_minor, payable_minor, collect."""
    words = Wording(content["language"], content["currency"])
    seller, customer = content["seller"], content["customer"]
    is_invoice = content["kind"] == "invoice"
    lines = [_line(words, line, content["kind"]) for line in content["lines"]]
    taxes = [row for row in content["tax_breakdown"] if row["tax_minor"] or row["reason"]]
    return {
        "language": content["language"],
        "title": words.labels[content["kind"]],
        "number": content["number"],
        "state": words.labels["state_" + _state(state)] if state else "",
        "state_colour": _COLOURS[_state(state)] if state else "#000000",
        "accent": brand.accent,
        "fill": brand.fill,
        "on_fill": brand.on_fill,
        "seller_name": seller["profile"].get("legal_name") or seller["name"],
        "seller": _seller(words, seller),
        "seller_line": " · ".join([seller["name"], *_address(words, seller["profile"].get("address") or {})]),
        "buyer": [customer["name"], *_address(words, customer.get("address") or {})],
        "facts": _facts(words, content),
        "columns": _columns(words, with_tax=bool(taxes)),
        "with_tax": bool(taxes),
        "lines": lines,
        "totals": _totals(words, content, state),
        "taxes": [_tax(words, row) for row in taxes],
        "tax_columns": [words.labels[name] for name in ("tax", "rate", "taxable", "amount")],
        "labels": words.labels,
        "paragraphs": _paragraphs(words, content, state if is_invoice else None),
        "footer": _footer(words, seller),
    }


def _state(state: Content) -> str:
    return str(state["state"] if state["state"] in ("void", "uncollectible") else state["payment_state"])


def _address(words: Wording, address: Mapping[str, str]) -> list[str]:
    """An address in its usual order, unknown parts last."""
    place = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    first = [address.get(name) for name in ("line1", "street", "line2")]
    known = {"line1", "street", "line2", "postal_code", "city", "region", "country"}
    rest = [value for name, value in address.items() if name not in known]
    country = words.country(address.get("country") or "")
    return [part for part in (*first, place, address.get("region"), *rest, country) if part]


def _seller(words: Wording, seller: Content) -> list[str]:
    profile = seller["profile"]
    rows = _address(words, profile.get("address") or {})
    rows += [profile[name] for name in ("email", "phone", "website") if profile.get(name)]
    rows += [f"{words.labels[name]} {profile[name]}" for name in ("vat_number", "tax_number") if profile.get(name)]
    return rows


def _facts(words: Wording, content: Content) -> list[tuple[str, str]]:
    facts = [
        (words.labels["number"], content["number"]),
        (words.labels["issue_date"], words.day(content["issue_date"])),
    ]
    if content["kind"] == "invoice":
        facts.append((words.labels["due_date"], words.day(content["due_date"])))
    else:
        facts.append((words.labels["for_invoice"], content["invoice_number"]))
    customer = content["customer"]
    if customer.get("purchase_order"):
        facts.append((words.labels["purchase_order"], customer["purchase_order"]))
    if customer.get("vat_number"):
        facts.append((words.labels["customer_vat"], customer["vat_number"]))
    return facts


def _columns(words: Wording, *, with_tax: bool) -> list[str]:
    names = ["description", "quantity", "unit_price", *(["tax"] if with_tax else []), "amount"]
    return [words.labels[name] for name in names]


def _line(words: Wording, line: Content, kind: str) -> dict[str, Any]:
    if kind == "credit_note":
        amounts = {"quantity": "", "unit_price": "", "amount": words.money(line["net_minor"])}
    else:
        amounts = {
            "quantity": words.number(line["quantity"]),
            "unit_price": words.money(line["unit_price_minor"]),
            "amount": words.money(line["amount_minor"]),
        }
    return {
        "description": line["description"],
        "notes": _line_notes(words, line),
        "tax": " + ".join(words.percent(tax["percent"]) for tax in line["taxes"]),
        **amounts,
    }


def _line_notes(words: Wording, line: Content) -> list[str]:
    notes = []
    if line.get("period_start") and line.get("kind") == "membership":
        last = date.fromisoformat(line["period_end"]) - timedelta(days=1)
        notes.append(f"{words.day(line['period_start'])} – {words.day(last)}")
    if line.get("explain"):
        notes.append(translated(words.language, line["explain"]))
    if Decimal(line.get("discount_percent") or 0) and "%" not in (line.get("explain") or ""):
        notes.append(words.labels["off"].format(percent=words.percent(line["discount_percent"])))
    notes += [
        f"{translated(words.language, each['description'])}: {words.number(each['quantity'])} × "
        f"{words.money(each['unit_price']['amount_minor'])}"
        for each in line.get("details") or ()
    ]
    return notes


def _totals(words: Wording, content: Content, state: Content | None) -> list[tuple[str, str, bool]]:
    say = words.labels
    rows = []
    gross = bool(content["lines"]) and all(line.get("prices_include_tax") for line in content["lines"])
    if content.get("discount_total_minor"):
        rows.append((say["lines_total"], words.money(_lines_total(content)), False))
        rows.append((say["discount"], words.money(-content["discount_total_minor"]), False))
    if content["tax_total_minor"] and not gross:
        rows.append((say["subtotal"], words.money(content["subtotal_minor"]), False))
        rows.append((say["tax_total"], words.money(content["tax_total_minor"]), False))
    rows.append((say["total"], words.money(content["total_minor"]), True))
    if content["tax_total_minor"] and gross:
        rows.append((say["included_tax"], words.money(content["tax_total_minor"]), False))
    if state and (state["paid_minor"] or state["credited_minor"]):
        gone = [name for name in ("paid", "credited") if state[f"{name}_minor"]]
        rows += [(say[name], words.money(-state[f"{name}_minor"]), False) for name in gone]
        rows.append((say["payable"], words.money(state["payable_minor"]), True))
    return rows


def _lines_total(content: Content) -> int:
    return sum(line["amount_minor"] for line in content["lines"])


def _tax(words: Wording, row: Content) -> tuple[str, str, str, str]:
    return (
        row["name"] or translated(words.language, row["reason"]) or words.labels["tax"],
        words.percent(row["percent"]),
        words.money(row["taxable_minor"]),
        words.money(row["tax_minor"]),
    )


def _paragraphs(words: Wording, content: Content, state: Content | None) -> list[tuple[str, Sequence[str]]]:
    paragraphs: list[tuple[str, Sequence[str]]] = []
    if state is not None:
        paragraphs.append((words.labels["how_to_pay"], _how_to_pay(words, content, state)))
    if content.get("reason"):
        paragraphs.append((words.labels["reason"], [translated(words.language, content["reason"])]))
    if content.get("note"):
        paragraphs.append((words.labels["notes"], content["note"].split("\n")))
    return paragraphs


def _how_to_pay(words: Wording, content: Content, state: Content) -> list[str]:
    if state["state"] == "void":
        return [words.labels["was_void"]]
    if not state["payable_minor"]:
        return [words.labels["nothing_to_pay"]]
    values = {
        "amount": words.money(state["payable_minor"]),
        "date": words.day(content["due_date"]),
        "number": content["number"],
    }
    if state["collect"]:
        return [words.labels["collected"].format(**values)]
    rows = [words.labels["pay_by"].format(**values)]
    seller = content["seller"]
    bank = seller["profile"].get("bank") or {}
    rows += [
        f"{name.upper() if len(name) <= 4 else name.capitalize()}: {value}" for name, value in bank.items() if value
    ]
    instructions = seller.get("payment_instructions")
    return [*rows, *instructions.split("\n")] if instructions else rows


def _footer(words: Wording, seller: Content) -> list[str]:
    profile = seller["profile"]
    parts = [profile.get("legal_name") or seller["name"], profile.get("registration_number")]
    if profile.get("vat_number"):
        parts.append(f"{words.labels['vat_number']} {profile['vat_number']}")
    parts.append(seller.get("footer") or profile.get("invoice_footer"))
    return [part for part in parts if part]
