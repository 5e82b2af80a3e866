"""Find the policy packs that ship with the program, or one in a file of its own.

A pack of an older version stays beside the newest as `<pack>@<version>.toml`: running cases are pinned to it.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from workflows.policy.pack import Pack
from workflows.policy.reading import PackErrors, Problem, Raw, Rule, read

SUFFIX = ".toml"


class PackNotHere(LookupError):
    """This program does not have exactly this pack, so it may not run a case that is pinned to it."""

    def __init__(self, name: str, version: int | None = None, sha: str = "") -> None:
        wanted = name if version is None else f"{name} version {version} with sha {sha}"
        super().__init__(f"policy pack {wanted} is not here / 本程序没有政策包 {wanted}")
        self.name, self.version, self.sha = name, version, sha


def available() -> tuple[str, ...]:
    """Names of the newest versions of all packs that ship with the program, in order."""
    return tuple(name for name in _names() if "@" not in name)


def every() -> tuple[str, ...]:
    """Names of all packs that ship with the program, older versions as `name@version` beside the newest."""
    return _names()


@cache
def load(name: str) -> Pack:
    """The newest version of a shipped pack, or an older one as `name@version`.

    Raises `PackNotHere` for a name that does not ship, `PackErrors` with every fault of a broken pack.
    """
    if name not in _names():
        raise PackNotHere(name)
    return _resolve(name, (_shipped(),), ())


def chosen(pack: Pack, process: str, variant: str = "", place: str = "") -> Pack:
    """The pack that a new case takes: `pack`, or the one to which its pins send such a case.

    A pin names a process (`inspection`), a variant of one (`admission.UNIT`), a place (`@620199001`), or both
    (`admission@620199`). The narrowest place wins, then the narrower kind of case: community override → subdistrict →
    county → city pack (policy-packs.md, resolution order). A pack for a place extends the one it overrides, so the
    loader has seen to it that no HARD rule is relaxed there.
    """
    kinds = (f"{process}.{variant}", process, "")
    places = (*(f"@{place[:length]}" for length in (12, 9, 6, 4) if len(place) >= length), "")
    for where in places:
        for kind in kinds:
            name = pack.pins.get(f"{kind}{where}")
            if name is not None and f"{kind}{where}":
                return load(name)
    return pack


def loose_pins(pack: Pack) -> tuple[str, ...]:
    """Pins for a place whose pack does not build on what would hold there without them.

    Only a pack that extends another is checked against relaxing its HARD rules, so these must not be used.
    """
    found: list[str] = []
    for pin, name in pack.pins.items():
        kind, at, place = pin.partition("@")
        if at and name in available():
            process, _, variant = kind.partition(".")
            others = {key: value for key, value in pack.pins.items() if key != pin}
            if chosen(replace(pack, pins=others), process, variant, place).pack not in _line(name):
                found.append(pin)
    return tuple(found)


def _line(name: str) -> Iterator[str]:
    """A pack and everything that it extends."""
    above: str | None = name
    while above is not None:
        yield above.partition("@")[0]
        above = load(above).extends


def load_file(path: Path) -> Pack:
    """The pack in a file; what it extends is looked up beside it, then among the shipped packs.

    Raises `PackErrors` with every fault.
    """
    return _resolve(path.name.removesuffix(SUFFIX), (path.parent, _shipped()), ())


def pinned(name: str, version: int, sha: str) -> Pack:
    """The very pack that a case was opened under; raises `PackNotHere` without exactly that content."""
    for candidate in (name, f"{name}@{version}"):
        if candidate in _names():
            pack = load(candidate)
            if (pack.version, pack.sha) == (version, sha):
                return pack
    raise PackNotHere(name, version, sha)


def _shipped() -> Traversable:
    return files("workflows.policy").joinpath("packs")


@cache
def _names() -> tuple[str, ...]:
    found = (entry.name for entry in _shipped().iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)))


def _resolve(name: str, folders: tuple[Traversable, ...], below: tuple[str, ...]) -> Pack:
    file = name + SUFFIX
    raw = _parse(file, folders)
    problems: list[Problem] = []
    parent: Pack | None = None
    if raw.get("pack") != name.partition("@")[0]:
        problems.append(Problem(file, "pack", Rule.HEADER, f"the file is named {name}, found {raw.get('pack')!r}"))
    extends = raw.get("extends")
    if extends is not None:
        try:
            parent = _parent(extends, file, folders, (*below, name))
        except PackErrors as errors:
            problems.extend(errors.problems)
    try:
        pack = read(raw, file, parent)
    except PackErrors as errors:
        raise PackErrors((*problems, *errors.problems)) from None
    if problems:
        raise PackErrors(tuple(problems))
    return pack


def _parent(extends: object, file: str, folders: tuple[Traversable, ...], below: tuple[str, ...]) -> Pack:
    if not isinstance(extends, str) or _find(extends + SUFFIX, folders) is None:
        raise PackErrors((Problem(file, "extends", Rule.NO_PARENT, f"no pack {extends!r}"),))
    if extends in below:
        circle = " → ".join((*below, extends))
        raise PackErrors((Problem(file, "extends", Rule.NO_PARENT, f"a pack cannot extend itself: {circle}"),))
    return _resolve(extends, folders, below)


def _find(file: str, folders: tuple[Traversable, ...]) -> Traversable | None:
    # A name, not a path: nothing outside the folders can be reached.
    if Path(file).name != file:
        return None
    return next((found for folder in folders if (found := folder.joinpath(file)).is_file()), None)


def _parse(file: str, folders: tuple[Traversable, ...]) -> Raw:
    found = _find(file, folders)
    if found is None:
        raise PackErrors((Problem(file, "-", Rule.SYNTAX, "no such file"),))
    try:
        return tomllib.loads(found.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackErrors((Problem(file, "-", Rule.SYNTAX, str(error)),)) from error
