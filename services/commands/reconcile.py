"""`shangliang reconcile`: compare the engine with the books, and put right what differs."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import FAILURE, err, fail, out, run
from services.engine import Engine, EngineUnavailable, connect, newest
from services.reconciling import WORDS, Difference, Reconciliation
from services.settings import Settings
from services.storage.database import NoDatabaseError, answering, database
from services.storage.history import Past
from services.storage.keys import PAYLOADS

EPILOG = "例 Examples: shangliang reconcile · shangliang reconcile --repair · shangliang reconcile --json"


def reconcile(
    repair: Annotated[
        bool, typer.Option("--repair", help="以数据库为准修复。Put it right; the database wins.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """核对流程引擎与数据库：每件未了结的事项、每个流程实例、每条校验链。Compare every open case with its run.

    列出全部差异；--repair 由数据库重建缺失或不一致的实例，终止没有事项的实例。校验链断裂只报告，不修改。
    退出代码：0 一致，1 仍有差异。

    Lists every difference. --repair starts runs that are missing or differ again from the database and ends runs
    without a case; a broken chain of a history is only reported. Exit code 0 when all agrees, 1 when differences are
    left.
    """
    try:
        compared, found = run(_reconciled(connected_settings(), repair))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except EngineUnavailable as away:
        fail("流程引擎或工作进程没有应答。", f"The engine or its worker does not answer: {away}")
    left = [one for one in found if not one.repaired]
    if as_json:
        typer.echo(json.dumps({"compared": compared, "left": len(left), "differences": [asdict(one) for one in found]}))
    else:
        _show(compared, found, left)
    if left:
        raise typer.Exit(FAILURE)


async def _reconciled(settings: Settings, repair: bool) -> tuple[int, list[Difference]]:
    assert settings.database_url is not None, "connected_settings names the servers"
    assert settings.temporal_address is not None, "connected_settings names the servers"
    storage = database(settings.database_url.get_secret_value(), pool_size=4, application_name="shangliang-reconcile")
    try:
        with answering():
            async with storage.connect():
                pass
        client = await connect(settings.temporal_address, settings.temporal_namespace, settings.keys_for(PAYLOADS))
        engine = Engine(client, Past(storage), newest(settings.policy), timeout=settings.request_timeout)
        with err.status("核对 comparing …") as status:
            work = Reconciliation(engine, storage, lambda done: status.update(f"核对 comparing … {done}"))
            found = await work.compare()
            if repair:
                status.update("修复 repairing …")
                found = await work.repair()
        return work.compared, found
    finally:
        await storage.dispose()


def _show(compared: int, found: list[Difference], left: list[Difference]) -> None:
    if found:
        table = Table("差异 difference", "事项 case", "说明 detail", "处理 done")
        for one in found:
            zh, en = WORDS[one.kind]
            done = "[green]已修复 repaired[/]" if one.repaired else "[red]仍存在 left[/]"
            table.add_row(f"{zh} {en}", one.number or f"{one.process}/{one.case_id}", one.detail, done)
        out.print(table)
        for kind, count in sorted(Counter(one.kind for one in found).items()):
            out.print(f"{kind}: {count}")
    out.print(f"已核对 compared {compared} · 差异 differences {len(found)} · 仍存在 left {len(left)}")
