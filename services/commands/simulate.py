"""`shangliang simulate`: months of a street in seconds, to plan capacity with."""

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.commands.connected import given_settings
from services.commands.terminal import MISUSE, err, fail, out
from services.importing.columns import Target, WrongMap, columns
from services.importing.messages import moment
from services.importing.sheets import Row, Unreadable, opened
from services.simulating import PER_MONTH, Outcomes, Plan, first_of_month
from services.simulating import simulate as simulated
from workflows.policy.packs import PackNotHere, load

EPILOG = (
    "例 Examples: shangliang simulate --communities 3 --months 1 --seed 7 · "
    "shangliang simulate --communities 100 --months 3 --messages messages.csv.gz --json"
)
BEGINS = "2026-03-01"


def simulate(
    communities: Annotated[int, typer.Option(min=1, max=5000, help="社区数。How many communities.")] = 3,
    months: Annotated[int, typer.Option(min=1, max=24, help="模拟几个月。How many months.")] = 1,
    seed: Annotated[int, typer.Option(help="随机种子，相同则结果相同。The same seed gives the same result.")] = 7,
    pack: Annotated[str | None, typer.Option(help="政策包，默认同 SHANGLIANG_POLICY。Policy pack.")] = None,
    begins: Annotated[str, typer.Option(help="起始月份所在的一天。A day of the first month.")] = BEGINS,
    per_month: Annotated[
        float, typer.Option(min=0.1, max=10_000, help="每社区每月件数。Messages of a community in a month.")
    ] = PER_MONTH,
    silence: Annotated[
        float, typer.Option(min=0, max=1, help="无人理会的比例。Share of duties that nobody does in time.")
    ] = 0.08,
    messages: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="按真实留言的时间分布到达。Arrivals at the hours of real messages."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """在虚拟时钟上运行一条街道或一座城市，不需要服务器。Run a street or a city on a virtual clock, without a server.

    列出诉求状态、逾期、红色、每月大党委议题数、各角色的操作数，以及引擎需要承受的负载。
    Prints where issues stand, what was late, the agendas of each month, commands by role and the load on the engine.
    """
    name = pack or given_settings().policy
    try:
        load(name)
        first = first_of_month(date.fromisoformat(begins))
    except PackNotHere as refused:
        fail(f"没有政策包 {name}。", str(refused), code=MISUSE)
    except ValueError:
        fail(f"--begins 应为日期：{begins}。", f"--begins is a day: {begins}.", code=MISUSE)
    plan = Plan(
        communities=communities,
        begins=first,
        months=months,
        seed=seed,
        per_month=per_month,
        silence=silence,
        times=_times(messages) if messages is not None else (),
    )
    with err.status("模拟 simulating …"):
        outcomes = simulated(plan, name, cores=os.cpu_count() or 1)
    if as_json:
        typer.echo(json.dumps(_written(outcomes), ensure_ascii=False, indent=1))
    else:
        _show(outcomes)


def _times(path: Path) -> tuple[datetime, ...]:
    try:
        with opened(path) as sheet:
            found = columns(sheet.header)
            if Target.REPORTED_AT not in found:
                fail(f"{path.name} 没有时间列。", f"{path.name} has no column with times.", code=MISUSE)
            place = found.places[Target.REPORTED_AT]
            cells = (row.cells[place] for row in sheet.rows if isinstance(row, Row))
            return tuple(at for cell in cells if (at := moment(cell)) is not None)
    except Unreadable as refused:
        fail(refused.zh, refused.en)
    except WrongMap as refused:
        fail(refused.zh, refused.en, code=MISUSE)


def _written(found: Outcomes) -> dict[str, object]:
    return {
        "issues": found.issues,
        "states": dict(found.states),
        "breaches": dict(found.breaches),
        "red": dict(found.red),
        "supervisions": found.supervisions,
        "agendas": [
            {"month": month, "community": code, "topics": count}
            for (month, code), count in sorted(found.agendas.items())
        ],
        "meetings": dict(found.meetings),
        "months": dict(found.months),
        "commands": dict(found.commands),
        "refused": dict(found.refused),
        "events": found.turns,
        "commands_per_second": {"mean": found.mean_load, "peak": found.peak / 60},
        "wall_seconds": round(found.seconds, 2),
        "cpu_seconds": round(found.cpu_seconds, 2),
        "cases_per_second": round(found.issues / found.seconds, 1) if found.seconds else None,
    }


def _show(found: Outcomes) -> None:
    for title, counts, head in (
        ("诉求状态 issues by state", found.states, "状态 state"),
        ("逾期 breaches by clock", found.breaches, "时限 clock"),
        ("红色 RED by clock", found.red, "时限 clock"),
        ("会议 meetings held", found.meetings, "会议 body"),
        ("大党委当月例会 months of the 大党委", found.months, "状态 state"),
        ("操作 commands by role", found.commands, "角色 role"),
    ):
        table = Table(head, "次数 times", title=title, title_justify="left")
        for name, count in counts.most_common():
            table.add_row(name, str(count))
        table.add_row("[bold]合计 all[/]", f"[bold]{counts.total()}[/]")
        out.print(table)
    agendas = Table(
        "月份 month", "社区 communities", "议题 topics", "最多 most", "平均 mean", title="大党委议程 agendas"
    )
    for month in sorted({month for month, _ in found.agendas}):
        sizes = [count for (one, _), count in found.agendas.items() if one == month]
        agendas.add_row(month, str(len(sizes)), str(sum(sizes)), str(max(sizes)), f"{sum(sizes) / len(sizes):.1f}")
    out.print(agendas)
    out.print(
        f"督查件 supervision cases {found.supervisions} · 记录 events {found.turns} · "
        f"事后被拒 refused, too late {found.refused.total()}"
    )
    out.print(
        f"引擎负载 engine load: {found.mean_load:.4f} 次/秒 commands per second, "
        f"峰值 peak {found.peak / 60:.2f}（一分钟 {found.peak} 次 in a minute）"
    )
    rate = found.issues / found.seconds if found.seconds else 0
    out.print(
        f"{found.issues} 件 issues · 用时 {found.seconds:.1f} s（处理器 CPU {found.cpu_seconds:.1f} s）· "
        f"{rate:.0f} 件/秒 cases per second"
    )
