"""The rules of the house (ARCHITECTURE, section 1): who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

# What a domain may use besides the standard library and its own modules (rule 2).
DOMAIN_COMMON = {"common.money", "common.clock", "common.ids", "common.errors"}
DOMAIN_PACKAGES = {"dateutil"}
# The standard library reaches the outside world too.
DOMAIN_FORBIDDEN_STDLIB = {"asyncio", "http", "os", "smtplib", "socket", "sqlite3", "subprocess", "threading", "urllib"}
# Services that talk to nobody over HTTP (rule 5).
SILENT_SERVICES = {"booking", "catalog", "invoicing", "members"}
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "base", "manager", "managers", "misc"}


def imported_modules(path: Path) -> Iterator[str]:
    """Dotted names of everything a module imports; ``from a import b`` counts as ``a.b``."""
    package = path.parts[path.parts.index("src") + 1 : -1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def domain_may_import(module: str, own_package: str) -> bool:
    """Rule 2 as an allow-list: what nobody thought of is refused."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return top not in DOMAIN_FORBIDDEN_STDLIB
    if top in {own_package, "common"}:
        allowed = {f"{own_package}.domain"} | DOMAIN_COMMON
        return any(module == name or module.startswith(f"{name}.") for name in allowed)
    return top in DOMAIN_PACKAGES


def test_import_contracts_are_kept(root: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_contracts_cover_every_package(root: Path, sources: list[Path]) -> None:
    configured = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    packages = {path.relative_to(root).parts[3] for path in sources}
    assert set(configured["importlinter"]["root_packages"]) == packages
    assert set(configured["mypy"]["packages"]) == packages


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("decimal.Decimal", True),
        ("common.money.Money", True),
        ("booking.domain.slots.Slot", True),
        ("dateutil.rrule.rrule", True),
        ("common.db.Session", False),
        ("booking.models.Booking", False),
        ("sqlalchemy.select", False),
        ("socket", False),
    ],
)
def test_domain_rule_tells_allowed_from_refused(module: str, *, allowed: bool) -> None:
    assert domain_may_import(module, "booking") is allowed


def test_domain_imports_only_plain_things(root: Path, sources: list[Path]) -> None:
    offences = [
        f"{path.relative_to(root)}: {module}"
        for path in sources
        if "domain" in path.relative_to(root).parts[4:]
        for module in imported_modules(path)
        if not domain_may_import(module, path.relative_to(root).parts[3])
    ]
    assert not offences, "domain/ is for pure rules (rule 2):\n" + "\n".join(offences)


def test_silent_services_have_no_http_client_of_the_standard_library(root: Path, sources: list[Path]) -> None:
    offences = [
        f"{path.relative_to(root)}: {module}"
        for path in sources
        if path.relative_to(root).parts[3] in SILENT_SERVICES
        for module in imported_modules(path)
        if module.startswith(("urllib.request", "http.client"))
    ]
    assert not offences, "services never call each other (rule 5):\n" + "\n".join(offences)


def test_modules_are_named_by_content(root: Path, sources: list[Path]) -> None:
    offences = [
        str(path.relative_to(root))
        for path in sources
        if VAGUE_NAMES & {part.removesuffix(".py") for part in path.relative_to(root).parts[3:]}
    ]
    assert not offences, f"a name that says nothing (rule 4): {offences}"
