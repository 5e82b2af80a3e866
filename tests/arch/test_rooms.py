"""Who may use what: the import floors are kept by import-linter, libraries by this page."""

import ast
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("services", "workflows", "activities")

# library: the only files and folders that may import it
ROOMS = {
    "temporalio": (
        "workflows/kernel/shell.py",
        "workflows/registry.py",
        "activities",
        "services/cadences.py",
        "services/engine.py",
        "services/ping.py",
        "services/readiness.py",
        "services/worker.py",
        "services/watching.py",
        "services/embedded",
    ),
    "sqlalchemy": ("services/storage", "services/identity"),
    "alembic": ("services/storage",),
    "asyncpg": ("services/storage", "services/identity", "services/embedded"),
    "fastapi": ("services/api", "services/console", "services/web.py"),
    "typer": ("services/cli.py", "services/commands"),
}
# What meets the engine; everything else below `workflows` is rules, for the standard library alone.
# The wire writes what the rules decided as JSON, with the writer that the API uses.
NOT_PURE = {"workflows/kernel/shell.py", "workflows/kernel/wire.py", "workflows/registry.py"}


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def within(path: Path, rooms: tuple[str, ...]) -> bool:
    place = path.relative_to(ROOT).as_posix()
    return any(place == room or place.startswith(f"{room}/") for room in rooms)


@pytest.mark.parametrize("library", ROOMS)
def test_a_library_stays_in_its_rooms(library: str) -> None:
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if not within(path, ROOMS[library]) and library in {name.split(".")[0] for name in imported(path)}
    ]

    assert elsewhere == []


def test_rules_use_the_standard_library_alone() -> None:
    foreign = [
        f"{path.relative_to(ROOT).as_posix()} imports {name}"
        for path in modules()
        if path.is_relative_to(ROOT / "workflows") and path.relative_to(ROOT).as_posix() not in NOT_PURE
        for name in imported(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "workflows"}
    ]

    assert foreign == []


def test_package_files_are_empty() -> None:
    speaking = [path for path in modules() if path.name == "__init__.py" and path.read_text().strip()]

    assert speaking == []


def test_no_room_is_called_after_nothing() -> None:
    nameless = {"utils", "helpers", "manager", "common", "base", "data", "info"}

    found = [path for path in modules() if path.stem in nameless - {"data"} or path.parent.name in nameless]

    assert found == []


@pytest.mark.parametrize("package", PACKAGES)
def test_each_import_name_has_one_owner(package: str) -> None:
    owners = set(importlib.metadata.packages_distributions().get(package, ()))

    assert owners <= {"shangliang"}, "another installed package brings the same import name"
    # An editable install leaves the migrations in a folder of that name without being the package.
    found = {Path(place).resolve() for place in sys.path if (Path(place) / package / "__init__.py").exists()}
    assert len(found) == 1
