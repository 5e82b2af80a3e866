"""What two packs decide differently, and which pack a value comes from (pure)."""

from workflows.policy.keys import KEYS
from workflows.policy.pack import Pack
from workflows.policy.packs import load


def changed(before: Pack, after: Pack) -> list[str]:
    """Keys whose value, unit, strength or source differ, in the order of the table."""
    order = [*KEYS, *sorted({*before.parameters, *after.parameters} - set(KEYS))]
    return [key for key in order if before.parameters.get(key) != after.parameters.get(key)]


def changed_categories(before: Pack, after: Pack) -> list[str]:
    """Codes of the kinds of issues that two packs treat differently."""
    codes = sorted({*before.categories, *after.categories})
    return [code for code in codes if before.categories.get(code) != after.categories.get(code)]


def origin(pack: Pack, key: str) -> str:
    """The pack that sets a value: the highest of those it extends that says the same."""
    name, found = pack.pack, pack
    while found.extends is not None:
        parent = load(found.extends)
        if parent.parameters.get(key) != pack.parameters[key]:
            break
        name, found = parent.pack, parent
    return name
