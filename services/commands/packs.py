"""`shangliang packs`: check policy packs, show where each value comes from, and what two packs decide differently."""

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.commands.terminal import MISUSE, fail, out
from workflows.policy.comparing import changed, changed_categories, origin
from workflows.policy.keys import KEYS
from workflows.policy.pack import Category, Pack, Parameter
from workflows.policy.packs import PackNotHere, available, load, load_file, loose_pins
from workflows.policy.reading import PackErrors

EPILOG = (
    "例 Examples: shangliang packs check · shangliang packs check mine.toml · "
    "shangliang packs diff lanzhou_2021 panzhihua_2016 · shangliang packs show panzhihua_2016 --key admission."
)
FOUND_FAULTS = 1


class What(StrEnum):
    """What to do with packs."""

    CHECK = "check"
    DIFF = "diff"
    SHOW = "show"


def packs(
    what: Annotated[What, typer.Argument(help="check 检查 · diff 比较两个包 · show 查看每个值的来源。")],
    names: Annotated[
        list[str] | None, typer.Argument(help="政策包名称或文件;check 默认检查全部。Names, or files.")
    ] = None,
    key: Annotated[str, typer.Option(help="只看以此开头的参数。Only keys that begin so.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """检查政策包;说明每个值出自哪一条款;比较两个包有何不同。

    Check policy packs, say from which clause each value comes, or what two packs decide differently. A check also
    looks at the packs to which pins send new cases.
    """
    wanted = names or []
    if what is What.CHECK:
        _check(wanted or list(available()))
    elif what is What.DIFF:
        if len(wanted) != 2:
            fail("比较需要两个包。", "A comparison takes two packs.", code=MISUSE)
        _diff(_pack(wanted[0]), _pack(wanted[1]), key, as_json=as_json)
    else:
        if len(wanted) != 1:
            fail("请给出一个包。", "Name one pack.", code=MISUSE)
        _show(_pack(wanted[0]), key, as_json=as_json)


def _pack(name: str) -> Pack:
    try:
        return load_file(Path(name)) if name.endswith(".toml") else load(name)
    except PackNotHere:
        fail(f"没有政策包 {name}。可用:{', '.join(available())}", f"There is no policy pack {name}.", code=MISUSE)
    except PackErrors as wrong:
        fail(f"政策包 {name} 有误。", str(wrong))


def _check(names: Iterable[str]) -> None:
    """Every fault of every pack; exit code 1 when there is one."""
    table = Table(title="政策包 Policy packs")
    for heading in ("包 pack", "版本 version", "沿用 extends", "与其不同 differs", "校验 sha"):
        table.add_column(heading, overflow="fold")
    faults = 0
    for name in names:
        try:
            pack = load_file(Path(name)) if name.endswith(".toml") else load(name)
            strangers = sorted(set(pack.pins.values()) - set(available()))
            loose = loose_pins(pack)
        except (PackErrors, PackNotHere) as wrong:
            faults += 1
            out.print(f"✗ {name}\n{wrong}", style="red", markup=False)
            continue
        for one in strangers:
            faults += 1
            out.print(f"✗ {name}: 分流到不存在的包 / pins name no pack: {one}", style="red", markup=False)
        for one in loose:
            faults += 1
            out.print(f"✗ {name}: 分流 {one} 的包须沿用当地原有的包", style="red", markup=False)
            out.print(f"  pin {one}: its pack must extend what holds there without it", markup=False)
        parent = load(pack.extends) if pack.extends in available() else None
        own = len(changed(parent, pack)) if parent else len(pack.parameters)
        table.add_row(name, str(pack.version), pack.extends or "—", str(own), pack.sha[:12])
    out.print(table)
    if faults:
        raise typer.Exit(FOUND_FAULTS)


# --- what a value is and where it comes from ------------------------------------------------------------------


def _said(one: Parameter | Category | None) -> str:
    """A value for people to read: with its unit, how binding it is, and its source."""
    if one is None:
        return "—"
    if isinstance(one, Category):
        return f"{one.mode or '—'} {one.clock_class or ''} ({one.clause or one.basis})"
    value = "、".join(map(str, one.value)) if isinstance(one.value, tuple) else str(one.value)
    rolls = ",顺延 rolls" if one.roll else ""
    unit = f" {one.unit}{rolls}" if one.unit else ""
    return f"{value}{unit} [{one.strength}] ({one.source})"


def _title(key: str) -> str:
    known = KEYS.get(key)
    return f"{known.zh} {known.en}" if known else ""


def _diff(before: Pack, after: Pack, prefix: str, *, as_json: bool) -> None:
    keys = [key for key in changed(before, after) if key.startswith(prefix)]
    kinds = [] if prefix else changed_categories(before, after)
    if as_json:
        rows = [{"key": key, "before": _json(before, key), "after": _json(after, key)} for key in keys]
        found = {"before": before.pack, "after": after.pack, "parameters": rows, "categories": kinds}
        typer.echo(json.dumps({**found, "scale": before.scale != after.scale}, ensure_ascii=False))
        return
    table = Table(title=f"{before.pack} v{before.version} → {after.pack} v{after.version}")
    for heading in ("参数 parameter", before.pack, after.pack):
        table.add_column(heading, overflow="fold")
    for key in keys:
        sides = (_said(pack.parameters.get(key)) for pack in (before, after))
        table.add_row(f"{key}\n{_title(key)}", *sides)
    for code in kinds:
        table.add_row(f"categories.{code}", *(_said(pack.categories.get(code)) for pack in (before, after)))
    if before.scale != after.scale:
        table.add_row("scale 演练比例", str(before.scale or "—"), str(after.scale or "—"))
    out.print(table if table.row_count else "两个包的规定相同。The two packs decide everything alike.")


def _json(pack: Pack, key: str) -> dict[str, Any] | None:
    one = pack.parameters.get(key)
    if one is None:
        return None
    value = list(one.value) if isinstance(one.value, tuple) else one.value
    unit = {"unit": one.unit.value, "rolls": one.roll} if one.unit else {}
    return {"value": value, **unit, "strength": one.strength.value, "source": one.source}


def _show(pack: Pack, prefix: str, *, as_json: bool) -> None:
    keys = [key for key in KEYS if key in pack.parameters and key.startswith(prefix)]
    if as_json:
        found = {"pack": pack.pack, "version": pack.version, "sha": pack.sha, "pins": dict(pack.pins)}
        values = {key: {**(_json(pack, key) or {}), "from": origin(pack, key)} for key in keys}
        typer.echo(json.dumps({**found, "parameters": values}, ensure_ascii=False))
        return
    table = Table(title=f"{pack.title} {pack.title_en} · {pack.pack} v{pack.version} · {pack.sha[:12]}")
    for heading in ("参数 parameter", "值 value", "出自 from"):
        table.add_column(heading, overflow="fold")
    for key in keys:
        table.add_row(f"{key}\n{_title(key)}", _said(pack.parameters[key]), origin(pack, key))
    for kind, name in pack.pins.items():
        table.add_row(f"pins.{kind}", name, pack.pack)
    out.print(table)
