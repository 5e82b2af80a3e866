"""`shangliang drive`: play the roles of the demonstration street, so that issues go through all five steps."""

import json
from collections import Counter
from pathlib import Path as File
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.commands.connected import given_settings
from services.commands.terminal import FAILURE, MISUSE, err, fail, out, run
from services.driving.api import Api, ApiAway, SignInFailed
from services.driving.drive import Drive, NotDrilled, Played, Report
from services.driving.paths import PATHS, Path
from services.embedded.home import Home
from services.settings import Settings

EPILOG = (
    "例 Examples: shangliang drive --limit 200 · shangliang drive --limit 12 --path escalated --path adopted --json"
)

PASSWORD_FILE = "demo_password"


def drive(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="办理多少件。How many issues.")] = 50,
    seed: Annotated[int, typer.Option(help="决定哪件走哪条路径。Decides which issue takes which path.")] = 1,
    parallel: Annotated[int, typer.Option(min=1, max=128, help="同时办理多少件。Issues at a time.")] = 24,
    api: Annotated[
        str | None, typer.Option(help="接口地址，默认正在运行的实例。Address of the API, default the running one.")
    ] = None,
    path: Annotated[list[str] | None, typer.Option(help="只走这些路径，可多次。Only these paths; repeat.")] = None,
    own: Annotated[bool, typer.Option("--own", help="只用自拟诉求，不动导入的。Invented issues only.")] = False,
    password_file: Annotated[
        File | None,
        typer.Option(exists=True, dir_okay=False, help="示范账号的密码文件。File with the demonstration password."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """以示范街道各角色的身份，用演练政策包把诉求办到底，最后列表汇总。Play every role, to the end of every issue.

    先办理已导入、尚未受理的诉求，不足时自拟。只通过接口。
    密码取自 SHANGLIANG_DEMO_PASSWORD、--password-file，或 up 保存在目录中的密码。
    有诉求没有走到应到之处时，退出代码为 1。

    Imported issues that nobody has touched come first, then invented ones; through the API only, with the accounts of
    the demonstration street. Exit code 1 when an issue does not get where its path leads.
    """
    settings = given_settings()
    paths = _paths(path or [])
    address = api or Home(settings.home).running_now().get("api")
    if address is None:
        fail(
            f"没有正在运行的实例（目录 {settings.home}）。请先运行 shangliang up，或用 --api 给出地址。",
            f"Nothing runs in {settings.home}. Run `shangliang up` first, or give --api.",
        )
    password = _password(settings, password_file)
    try:
        report = run(_driven(address, password, paths, limit=limit, seed=seed, parallel=parallel, own=own))
    except SignInFailed as who:
        fail(
            f"示范账号 {who} 无法登录：密码不对，或没有载入示范街道。",
            f"The demonstration account {who} cannot sign in: wrong password, or the street is not loaded.",
        )
    except ApiAway as away:
        fail("接口没有应答。", f"The API does not answer: {away}")
    except NotDrilled as refused:
        fail(
            "这些事项不能改用演练包：请用 shangliang import --policy drill 导入，或以 SHANGLIANG_POLICY=drill 启动。",
            f"The issues cannot be rebased onto the drill pack ({refused}): import with --policy drill, "
            "or start with SHANGLIANG_POLICY=drill.",
        )
    if as_json:
        typer.echo(json.dumps(report.written(), ensure_ascii=False, indent=1))
    else:
        _show(report)
    if report.errors:
        raise typer.Exit(FAILURE)


def _paths(names: list[str]) -> tuple[Path, ...]:
    known = {one.name: one for one in PATHS}
    for name in names:
        if name not in known:
            fail(
                f"没有路径 {name}，可选：{'、'.join(known)}",
                f"No path {name}; there are: {', '.join(known)}",
                code=MISUSE,
            )
    return tuple(known[name] for name in names) or PATHS


def _password(settings: Settings, file: File | None) -> str:
    kept = file or settings.home / "secrets" / PASSWORD_FILE
    if file is None and settings.demo_password is not None:
        return settings.demo_password.get_secret_value()
    if not kept.is_file():
        fail(
            "没有示范账号的密码：请设置 SHANGLIANG_DEMO_PASSWORD 或用 --password-file。",
            "No password of the demonstration accounts: set SHANGLIANG_DEMO_PASSWORD or give --password-file.",
        )
    return kept.read_text(encoding="utf-8").strip()


async def _driven(
    address: str, password: str, paths: tuple[Path, ...], *, limit: int, seed: int, parallel: int, own: bool
) -> Report:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task("办理 driving", total=limit)

        def done(played: Played) -> None:
            progress.update(bar, advance=1)

        async with Api(address, password, parallel=parallel) as api:
            return await Drive(api, seed, parallel, done).run(limit, paths, imported=not own)


def _show(report: Report) -> None:
    _show_paths(report)
    states = Table("状态 state", "件数 cases", title="办理结果 where they stand", title_justify="left")
    for position, count in Counter(one.position for one in report.played).most_common():
        states.add_row(position, str(count))
    out.print(states)
    marks = Table("时限 clock", "级别 rung", "次数 times", title="逾期与预警 breaches", title_justify="left")
    for (code, rung), count in sorted(report.marks.items()):
        marks.add_row(code, rung, str(count))
    out.print(marks)
    climbs = Table("升级 escalations", "", title="升级与督办 escalations", title_justify="left")
    climbs.add_row("红色 RED", str(sum(count for (_, rung), count in report.marks.items() if rung == "RED")))
    climbs.add_row("督查件 supervision cases", str(report.supervisions))
    for (body, reason), count in sorted(report.agendas.items()):
        climbs.add_row(f"议程 agenda: {body} · {reason}", str(count))
    out.print(climbs)
    _show_measures(report)
    refusals = Table("有意触发的拒绝 refused on purpose", "次数 times")
    for code, count in sorted(report.on_purpose.items()):
        refusals.add_row(code, str(count))
    out.print(refusals)
    if report.errors:
        wrong = Table("路径 path", "编号 number", "停在 at", "差错 wrong", title="差错 errors", style="red")
        for one in report.errors:
            wrong.add_row(one.path.name, one.number, one.position, escape(one.wrong))
        out.print(wrong)
    rate = len(report.played) / report.seconds if report.seconds else 0
    sent = sum(count for name, count in report.requests.items() if name != "again")
    out.print(
        f"{len(report.played)} 件 issues · {report.events} 条记录 events · {sent} 次请求 requests "
        f"（重发 again {report.requests['again']}） · {report.seconds:.0f} s · {rate:.1f} 件/秒 per second · "
        f"差错 errors {len(report.errors)}"
    )


def _show_paths(report: Report) -> None:
    table = Table("路径 path", "", "件数 cases", "到达 arrived", "用时 s", title="路径 paths", title_justify="left")
    for path in PATHS:
        mine = [one for one in report.played if one.path is path]
        if mine:
            arrived = sum(not one.wrong for one in mine)
            mean = sum(one.seconds for one in mine) / len(mine)
            table.add_row(path.name, f"{path.zh} {path.en}", str(len(mine)), f"{arrived} → {path.ends}", f"{mean:.1f}")
    out.print(table)


def _show_measures(report: Report) -> None:
    table = Table(
        "指标 measure", "值 value", "分子/分母", "算法 formula", title="统计指标 measures", title_justify="left"
    )
    for item in report.measures:
        value = "-" if item["value"] is None else f"{item['value']:.3g}"
        table.add_row(str(item["name"]), value, f"{item['part']} / {item['whole']}", str(item.get("zh", "")))
    out.print(table)
