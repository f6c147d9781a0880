"""What must not stand in a committed file, and what every package has."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest

# A package comes from whatever index the machine is set up for; a committed address would bypass a mirror.
INDEX_ADDRESS = re.compile(
    r"pypi\.org/(?:simple|pypi)|(?:files|test)\.(?:pythonhosted|pypi)\.org|registry\.(?:npmjs|yarnpkg)\.\w+"
    r"|(?:extra-)?index-url[ =\"']+\w+:|find-links[ =\"']+[/\w]"
)
PERSONAL_FOLDER = re.compile(r"(?<![\w./-])/(?:home|Users)/[a-z][\w-]*/|(?<![\w./-])/root/")

# Apart from its scheme, so that no address stands here either.
INDEX_HOST = "pypi.org"


def tracked(root: Path) -> list[Path]:
    """Files under version control or about to be, texts only."""
    if shutil.which("git") is None or not (root / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    paths = [root / name.decode() for name in listed if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def machine_paths(root: Path) -> re.Pattern[str]:
    """This checkout's own place and anybody's home folder; a short place such as /app may be an image's."""
    place = [re.escape(str(root))] if len(root.parts) > 2 else []
    return re.compile("|".join([*place, PERSONAL_FOLDER.pattern]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"https://{INDEX_HOST}/simple", True),
        ("--index-url" + " https://mirror.example/simple", True),
        ("--no-emit-index-url", False),
        ("pip config get global.index-url", False),
        (f"https://{INDEX_HOST}/project/flask", False),
    ],
)
def test_index_addresses_are_recognised(text: str, *, found: bool) -> None:
    assert bool(INDEX_ADDRESS.search(text)) is found


def test_no_package_index_address_in_tracked_files(root: Path) -> None:
    own = Path(__file__)
    found = [
        str(path.relative_to(root))
        for path in tracked(root)
        if path != own and INDEX_ADDRESS.search(path.read_text(errors="replace"))
    ]
    assert not found, f"a package index address stands in: {found}"


def test_no_machine_path_in_tracked_files(root: Path) -> None:
    own, pattern = Path(__file__), machine_paths(root)
    found = [
        str(path.relative_to(root))
        for path in tracked(root)
        if path != own and pattern.search(path.read_text(errors="replace"))
    ]
    assert not found, f"a path of somebody's machine stands in: {found}"


def test_locks_pin_every_package_with_hashes(root: Path) -> None:
    for lock in sorted(root.glob("requirements/*.lock")):
        entries = re.split(r"\n(?=[\w-]+==)", lock.read_text())
        bare = [entry.partition("\n")[0] for entry in entries if "--hash=sha256:" not in entry]
        assert not bare, f"{lock.name}: {bare}"


def test_development_lock_agrees_with_the_runtime_lock(root: Path) -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[\w.-]+==[^ ;\\\n]+", (root / "requirements" / name).read_text(), re.MULTILINE))

    assert pins("runtime.lock") <= pins("dev.lock")


def test_every_package_has_the_licence_and_an_honest_name(root: Path) -> None:
    for path in sorted(root.glob("*/*/pyproject.toml")):
        project = tomllib.loads(path.read_text())["project"]
        assert project["license"] == "Apache-2.0", path
        assert project["name"] == f"deskledger-{path.parent.name}", path


def test_test_files_have_unique_names_and_no_packages(root: Path) -> None:
    tests = [path for area in ("libs", "services", "deploy", "tests") for path in (root / area).rglob("tests/**/*.py")]
    tests += list((root / "tests").rglob("*.py"))
    assert not [path for path in tests if path.name == "__init__.py"]
    names = Counter(path.name for path in set(tests) if path.name.startswith("test_"))
    assert not [name for name, count in names.items() if count > 1]
