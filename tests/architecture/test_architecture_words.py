"""`common` is plumbing: it knows no word of the business (rule 4)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

BUSINESS_WORDS = {
    "booking", "bookings", "charge", "charges", "checkout", "coworking", "dunning", "fee", "fees",
    "invoice", "invoices", "invoicing", "membership", "memberships", "payment", "payments", "plan", "plans",
    "proration", "refund", "refunds", "rental", "resource", "resources", "room", "rooms", "storefront",
    "subscription", "tariff", "voucher",
}  # fmt: skip


def words(text: str) -> set[str]:
    """``InvoiceLine_no`` -> {"invoice", "line", "no"}."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", text)}


def _docstrings(tree: ast.AST) -> set[int]:
    """Docstrings may illustrate with the business; code may not know it."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.Module(body=[ast.Expr(value=ast.Constant() as text), *_])
                | ast.ClassDef(body=[ast.Expr(value=ast.Constant() as text), *_])
                | ast.FunctionDef(body=[ast.Expr(value=ast.Constant() as text), *_])
                | ast.AsyncFunctionDef(body=[ast.Expr(value=ast.Constant() as text), *_])
            ):
                found.add(id(text))
    return found


def _foreign_names(tree: ast.AST) -> set[str]:
    """What other packages call their things (OpenTelemetry's Resource, SQLAlchemy's events) is their choice."""
    return _events(tree) | {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("common"))
        for alias in node.names
        for name in (alias.name, alias.asname or alias.name)
    }


def _events(tree: ast.AST) -> set[str]:
    """Names of SQLAlchemy's events that are listened for."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="listens_for"), args=[_, ast.Constant(value=str() as name)]):
                found.add(name)
    return found


def spoken(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every name and every string of a module, docstrings and other packages' names apart."""
    tree = ast.parse(source)
    docstrings, foreign = _docstrings(tree), _foreign_names(tree)
    for node in ast.walk(tree):
        # A keyword argument's name belongs to the called function, an alias to the imported module.
        if isinstance(node, ast.keyword | ast.alias) or id(node) in docstrings:
            continue
        for field in ("name", "id", "arg", "attr", "value"):
            text = getattr(node, field, None)
            if isinstance(text, str) and text not in foreign:
                yield getattr(node, "lineno", 0), text


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def issue_invoice(): ...", True),
        ("QUEUE = 'booking.events'", True),
        ("row.payment_id", True),
        ("class Relay:\n    '''Publishes an invoice.'''", False),
        ("from opentelemetry.sdk.resources import Resource\nprovider(resource=Resource())", False),
        ("event.listens_for(engine, 'checkout')", False),
        ("explanation = planet", False),
    ],
)
def test_business_words_are_recognised(source: str, *, found: bool) -> None:
    assert any(words(text) & BUSINESS_WORDS for _, text in spoken(source)) is found


def test_common_knows_no_business_word(root: Path, sources: list[Path]) -> None:
    offences = [
        f"{path.relative_to(root)}:{line}: {text}"
        for path in sources
        if path.relative_to(root).parts[:2] == ("libs", "common")
        for line, text in spoken(path.read_text())
        if words(text) & BUSINESS_WORDS
    ]
    assert not offences, "business words in common:\n" + "\n".join(offences)
