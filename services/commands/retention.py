"""`shangliang retention`: forget what is kept no longer, or only say what that would be."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import fail, out, run
from services.settings import Settings
from services.storage.database import NoDatabaseError, answering, single_connection
from services.storage.files import Files, StoreAway
from services.storage.retention import RULES, due, forget, kept_days, note
from workflows.policy.packs import load

EPILOG = "例 Examples: shangliang retention run --dry-run · shangliang retention run"


class Act(StrEnum):
    """What to do."""

    RUN = "run"


def retention(
    act: Annotated[Act, typer.Argument(help="run 执行")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只统计,不删除。Only count.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """按政策包的保存期限删除到期的个人信息;事件与决定永久保存,只留编号。可重复执行。

    Forget personal data whose time is over, by the policy pack; events and decisions stay and hold ids only. Safe to
    repeat, and to stop at any moment.
    """
    try:
        found = run(_run(connected_settings(), dry_run))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except StoreAway as away:
        fail("附件存储没有应答,再次执行即可继续。", f"The store of files does not answer ({away}); run it again.")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    table = Table(box=None)
    for name in ("规则 rule", "保存 days kept", "到期 due" if dry_run else "已删除 forgotten"):
        table.add_column(name)
    for one in found:
        table.add_row(f"{one['zh']} {one['en']}", str(one["days"]), str(one["rows"]))
    out.print(table)


async def _run(settings: Settings, dry_run: bool) -> list[dict[str, Any]]:
    assert settings.database_url is not None, "connected_settings names the servers"
    pack, now, files = load(settings.policy), datetime.now(UTC), Files(settings.store_url)
    storage = single_connection(settings.database_url.get_secret_value(), application_name="shangliang-retention")
    found = []
    try:
        for rule in RULES:
            rows = 0
            with answering():
                async with storage.begin() as connection:
                    rows = await due(connection, rule, pack, now)
            if not dry_run and rows:
                rows = 0
                while True:
                    # A batch a transaction; files go after their rows, so that no row names a file that is gone.
                    async with storage.begin() as connection:
                        gone = await forget(connection, rule, pack, now)
                        if gone:
                            await note(connection, rule, len(gone))
                    if not gone:
                        break
                    rows += len(gone)
                    if rule.table == "attachment":
                        await files.forget([key for _, key in gone])
            found.append({"code": rule.code, "zh": rule.zh, "en": rule.en, "days": kept_days(rule, pack), "rows": rows})
    finally:
        await storage.dispose()
    return found
