"""Where wording is executed: Jinja in a sandbox, and of its language only what a letter needs.

No loops over numbers, no calls, no arithmetic, no assignments: an operator's template cannot read what it was not
given, and cannot run or grow without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from common.errors import FieldError, InvalidError
from notifications.mail.filters import FILTERS

MAX_SOURCE = 20_000
_PLAIN_FILTERS = ("default", "upper", "lower", "title", "capitalize", "trim", "length", "first", "last", "escape", "e")
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.Name,
    nodes.NSRef,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.CondExpr,
    nodes.Concat,
    nodes.Keyword,
)
_ACTIVE_HTML = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|form|input|base|meta|link|svg|style)\b|\bon[a-z]+\s*=|javascript:", re.I
)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Nothing may be called; data are mappings and plain values."""

    def is_safe_callable(self, obj: Any) -> bool:
        return False


def _environment() -> Environment:
    sandbox = _Sandbox(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    filters: dict[str, Callable[..., Any]] = {name: sandbox.filters[name] for name in _PLAIN_FILTERS}
    sandbox.filters = {**filters, **FILTERS}
    sandbox.globals = {}
    return sandbox


_SANDBOX = _environment()


def check_source(source: str, pointer: str) -> None:
    """Refuse wording that is no template, or more than a letter needs; raises InvalidError with the line."""
    if len(source) > MAX_SOURCE:
        raise _refusal(pointer, f"longer than {MAX_SOURCE} characters")
    if found := _ACTIVE_HTML.search(source):
        raise _refusal(pointer, f"{found.group().strip()} has no place in a mail")
    try:
        tree = _SANDBOX.parse(source)
        _check_node(tree, pointer, loops=0)
        _compiled(source)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise _refusal(pointer, f"line {line}: {error.message}" if line else str(error.message)) from error


def _check_node(node: nodes.Node, pointer: str, loops: int) -> None:
    if not isinstance(node, _ALLOWED):
        raise _refusal(pointer, f"line {node.lineno}: {type(node).__name__.lower()} is not available in templates")
    loops += isinstance(node, nodes.For)
    if loops > 2 or (isinstance(node, nodes.For) and node.recursive):
        raise _refusal(pointer, f"line {node.lineno}: loops may be nested once and not be recursive")
    for child in node.iter_child_nodes():
        _check_node(child, pointer, loops)


def _refusal(pointer: str, detail: str) -> InvalidError:
    return InvalidError("template_invalid", f"the template has a fault: {detail}", errors=[FieldError(pointer, detail)])


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    return _SANDBOX.from_string(source)


class RenderingError(Exception):
    """A template failed on its data: a name that is not there, a filter on the wrong thing."""


def run(source: str, data: Mapping[str, Any], *, locale: str, mode: str, color: str = "") -> str:
    """Fill a template in; ``mode`` is ``html`` or ``text`` and decides what the filters make. Raises RenderingError."""
    try:
        return _compiled(source).render({**data, "locale": locale, "mode": mode, "brand_color": color})
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise RenderingError(str(error) or type(error).__name__) from error
