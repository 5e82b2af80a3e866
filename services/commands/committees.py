"""`shangliang committees`: take in the committees that a city has already, and give them out in the same form."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import MISUSE, fail, out, run
from services.importing.committees import Books
from services.storage.committees import Committees
from services.storage.database import NoDatabaseError, answering, database
from workflows.kernel.calendar import CHINA
from workflows.policy.packs import load

EPILOG = (
    "例 Examples: shangliang committees import 名册.xlsx --dry-run · shangliang committees import 名册.xlsx · "
    "shangliang committees export 名册.xlsx --place 620199 · shangliang committees rollout --place 6201"
)
CLERK = "committees-command"
FOUND_FAULTS = 1
MOST_SHOWN = 50


class What(StrEnum):
    """What to do with committees."""

    IMPORT = "import"
    EXPORT = "export"
    ROLLOUT = "rollout"


def committees(
    what: Annotated[What, typer.Argument(help="import 导入名册 · export 导出名册 · rollout 推行情况。")],
    file: Annotated[Path | None, typer.Argument(help="xlsx 或 csv 文件。A spreadsheet.")] = None,
    place: Annotated[str, typer.Option(help="区划代码，默认全部。Region code; all by default.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只预览,不写入。Preview only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """导入现有社工委名册（先预览；有错的社区整体不写入），或按同样格式导出；查看各社区组建情况。

    Import existing committees (a community with a fault is not written at all), export them, show the rollout.
    """
    if what is not What.ROLLOUT and file is None:
        fail("请给出文件。", "Name the file.", code=MISUSE)
    run(_with_database(what, file, place, dry_run=dry_run, as_json=as_json))


async def _with_database(what: What, file: Path | None, place: str, *, dry_run: bool, as_json: bool) -> None:
    settings = connected_settings()
    assert settings.database_url is not None
    storage = database(settings.database_url.get_secret_value(), application_name="shangliang-committees")
    pack = load(settings.policy)
    try:
        with answering():
            if what is What.ROLLOUT:
                _show_rollout(await Committees(storage).rollout(place, pack, _today()), as_json=as_json)
            elif what is What.EXPORT:
                assert file is not None
                file.write_bytes(await Books(storage).give_out(place))
                out.print(f"{file}")
            else:
                assert file is not None
                found = await Books(storage).take_in(file, places=[place], pack=pack, actor=CLERK, dry_run=dry_run)
                _show_import(found, as_json=as_json)
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except OSError as refused:
        fail(f"文件不可用:{refused}", f"The file cannot be used: {refused}")
    finally:
        await storage.dispose()


def _today() -> Any:
    return datetime.now(UTC).astimezone(CHINA).date()


def _show_import(found: dict[str, Any], *, as_json: bool) -> None:
    faults = [*found["errors"], *(fault for one in found["communities"] for fault in one["errors"])]
    if as_json:
        out.print_json(json.dumps(found, ensure_ascii=False, default=str))
    else:
        table = Table("社区 Community", "人数 Members", "状态 State", "未满足规则 Rules not met")
        for one in found["communities"][:MOST_SHOWN]:
            broken = " ".join(rule["rule"] for rule in one["rules"] if not rule["met"])
            table.add_row(f"{one['name'] or ''} {one['community_id']}", str(one["members"]), one["state"], broken)
        out.print(table)
        for fault in faults[:MOST_SHOWN]:
            out.print(
                f"第 {fault['row']} 行 row {fault['row']} {fault['column']}: {fault['message']} {fault['message_en']}"
            )
        out.print(" · ".join(f"{state} {count}" for state, count in found["totals"].items()))
    if faults:
        raise typer.Exit(FOUND_FAULTS)


def _show_rollout(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(found, ensure_ascii=False, default=str))
        return
    table = Table("社区 Community", "状态 State", "人数 Members", "缺项 Missing")
    for one in found["items"]:
        table.add_row(
            f"{one['name']} {one['community_id']}", one["state"], str(one["members"]), " ".join(one["missing"])
        )
    out.print(table)
    rate = "–" if found["formation_rate"] is None else f"{found['formation_rate']:.1%}"
    out.print(f"组建率 formation rate: {found['formed']} / {found['communities']} = {rate}")
