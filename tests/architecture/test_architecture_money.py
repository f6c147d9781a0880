"""No float near money (MON-1), and one source of "now" (STYLE, convention 5)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# A float may say how long to wait, in seconds; nothing else in a module that deals with money.
DURATION = re.compile(r"(timeout|seconds|interval|delay|backoff|jitter|sleep|wait|poll)", re.IGNORECASE)
CLOCK_READS = {"now", "utcnow", "today", "time", "time_ns"}
CLOCK_OWNERS = {"datetime", "date", "time"}


def floats(source: str) -> Iterator[int]:
    """Lines of a module with a float: a literal, the type as annotation, or a conversion."""
    tree = ast.parse(source)
    harmless = [node for node in ast.walk(tree) if _is_duration(node) or _is_type_test(node)]
    harmless += _duration_defaults(tree)
    allowed = {id(inner) for node in harmless for inner in ast.walk(node)}
    for node in ast.walk(tree):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        named = isinstance(node, ast.Name) and node.id == "float"
        if (literal or named) and id(node) not in allowed:
            yield node.lineno


def _is_duration(node: ast.AST) -> bool:
    """``timeout=2.5``, ``poll_seconds: float = 0.5``, ``time.sleep(0.1)``."""
    match node:
        case ast.keyword(arg=str(name)) | ast.arg(arg=name) | ast.AnnAssign(target=ast.Name(id=name)):
            return bool(DURATION.search(name))
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.Call(func=ast.Attribute(attr=name)):
            return bool(DURATION.search(name))
    return False


def _is_type_test(node: ast.AST) -> bool:
    """``isinstance(value, float)``: how floats are refused."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"


def _duration_defaults(tree: ast.AST) -> Iterator[ast.expr]:
    """The 0.5 of ``def relay(poll_seconds=0.5)``: a default hangs on the function, not on its argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            pairs = [*zip(reversed(positional), reversed(node.defaults), strict=False)]
            pairs += [(arg, default) for arg, default in zip(node.kwonlyargs, node.kw_defaults, strict=True) if default]
            yield from (default for arg, default in pairs if DURATION.search(arg.arg))


def mentions_money(path: Path, source: str) -> bool:
    """Domains, the money module itself, and whatever imports Money or has an amount in minor units."""
    return "domain" in path.parts or path.name == "money.py" or bool(re.search(r"\bMoney\b|_minor\b", source))


def clock_reads(source: str) -> Iterator[int]:
    """Lines that ask the system for the time instead of the injected clock."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name(id=owner) | ast.Attribute(attr=owner))):
                if attr in CLOCK_READS and owner in CLOCK_OWNERS:
                    yield node.lineno


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("rate = 0.19", True),
        ("def tax(rate: float) -> int: ...", True),
        ("total = float(amount)", True),
        ("isinstance(value, float)", False),
        ("client(timeout=2.5)", False),
        ("def relay(poll_seconds: float = 0.5) -> None: ...", False),
        ("rate = Decimal('0.19')", False),
    ],
)
def test_floats_are_recognised(source: str, *, found: bool) -> None:
    assert bool(list(floats(source))) is found


def test_mon_1_no_float_near_money(root: Path, sources: list[Path]) -> None:
    offences = [
        f"{path.relative_to(root)}:{line}"
        for path in sources
        if mentions_money(path.relative_to(root), source := path.read_text())
        for line in floats(source)
    ]
    assert not offences, "floats near money (MON-1):\n" + "\n".join(offences)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("datetime.now(UTC)", True),
        ("datetime.datetime.now(UTC)", True),
        ("date.today()", True),
        ("time.time()", True),
        ("clock.now()", False),
        ("time.monotonic()", False),
        ("start.time()", False),
    ],
)
def test_clock_reads_are_recognised(source: str, *, found: bool) -> None:
    assert bool(list(clock_reads(source))) is found


def test_services_take_the_time_from_the_injected_clock(root: Path, sources: list[Path]) -> None:
    offences = [
        f"{path.relative_to(root)}:{line}"
        for path in sources
        if path.relative_to(root).parts[0] in {"services"} or "contracts" in path.parts
        for line in clock_reads(path.read_text())
    ]
    assert not offences, "the system's time instead of the clock's:\n" + "\n".join(offences)
