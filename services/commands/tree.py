"""`shangliang tree`: take the whole tree in from a workbook, and give it out in the same form."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import fail, out, run
from services.importing.tree import TreeBooks
from services.storage.database import NoDatabaseError, answering, database
from services.storage.tree import Tree
from services.storage.tree_rules import Limits
from workflows.policy.packs import load

EPILOG = (
    "例 Examples: shangliang tree export 总表.xlsx · shangliang tree import 总表.xlsx --dry-run · "
    "shangliang tree import 总表.xlsx"
)
CLERK = "tree-command"
FOUND_FAULTS = 3
MOST_SHOWN = 200


class What(StrEnum):
    """What to do with the tree."""

    IMPORT = "import"
    EXPORT = "export"


def tree(
    what: Annotated[What, typer.Argument(help="import 导入 · export 导出。")],
    file: Annotated[Path, typer.Argument(help="xlsx 文件。A workbook.")],
    place: Annotated[str, typer.Option(help="区划代码，默认全部。Region code; all by default.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只预览,不写入。Preview only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """导入区划、组织、人员、网格、楼栋、任职、会议主体及成员总表（有一处错误即整体不写入），或按同样格式导出。

    Import regions, organisations, people, grids, buildings, roles and bodies from one workbook (nothing is written
    when one cell is wrong), or export them in the same form.
    """
    run(_with_database(what, file, place, dry_run=dry_run, as_json=as_json))


async def _with_database(what: What, file: Path, place: str, *, dry_run: bool, as_json: bool) -> None:
    settings = connected_settings()
    assert settings.database_url is not None
    storage = database(settings.database_url.get_secret_value(), application_name="shangliang-tree")
    books = TreeBooks(Tree(storage, Limits.of(load(settings.policy))))
    try:
        with answering():
            if what is What.EXPORT:
                file.write_bytes(await books.give_out(place))
                out.print(f"{file}")
            else:
                _show(await books.take_in(file, actor=CLERK, places=(place,), dry_run=dry_run), as_json=as_json)
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except OSError as refused:
        fail(f"文件不可用:{refused}", f"The file cannot be used: {refused}")
    finally:
        await storage.dispose()


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(found, ensure_ascii=False))
    else:
        table = Table("工作表 Sheet", "新增 Added", "变更 Changed", "不变 Unchanged")
        for title, counts in found["sheets"].items():
            table.add_row(title, *(str(counts[name]) for name in ("added", "changed", "unchanged")))
        out.print(table)
        for one in found["errors"][:MOST_SHOWN]:
            out.print(f"{one['sheet']}!{one['cell']}: {one['zh']} {one['en']}", markup=False)
        out.print("已写入。Written." if found["written"] else "没有写入任何内容。Nothing was written.")
    if found["errors"]:
        raise typer.Exit(FOUND_FAULTS)
