"""`shangliang audit`: whether the history is what was once written, day by day and case by case."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import FAILURE, MISUSE, fail, out, run
from services.settings import Settings
from services.storage.audit import Finding, Seal, Signer, has_head, last_seals, seal_days, verify
from services.storage.database import NoDatabaseError, answering, single_connection
from services.storage.keys import AUDIT
from services.texts.catalogue import LANGUAGES, catalogue

EPILOG = "例 Examples: shangliang audit verify · shangliang audit verify --head 3fa1… · shangliang audit key"


class Act(StrEnum):
    """What to do."""

    VERIFY = "verify"
    SEAL = "seal"
    KEY = "key"


def audit(
    act: Annotated[Act, typer.Argument(help="verify 核对 · seal 立即封存已结束的各日 · key 显示公钥与最近封存")],
    head: Annotated[
        str | None, typer.Option(metavar="HEX", help="另存的封存值,核对它仍在库中。A head that was kept elsewhere.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """核对全部历史:被改动、缺失或调换的记录逐条列出;有任何一条时退出代码为 1。

    Check the whole history: every entry that was changed, taken away or moved is named; exit code 1 when there is any.
    Days are sealed by the workers; `seal` does it now. Keep what `key` prints elsewhere and give it to `verify --head`.
    """
    if head is not None and (len(head) != 64 or set(head.lower()) - set("0123456789abcdef")):
        fail("--head 应为 64 位十六进制。", "--head takes 64 hexadecimal digits.", code=MISUSE)
    try:
        run(_act(connected_settings(), act, head, as_json))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")


async def _act(settings: Settings, act: Act, head: str | None, as_json: bool) -> None:
    assert settings.database_url is not None, "connected_settings names the servers"
    signer, now = Signer(settings.keys_for(AUDIT)), datetime.now(UTC)
    storage = single_connection(settings.database_url.get_secret_value(), application_name="shangliang-audit")
    try:
        with answering():
            async with storage.begin() as connection:
                if act is Act.SEAL:
                    made = await seal_days(connection, signer, now)
                    out.print(f"已封存 {len(made)} 天。Sealed {len(made)} days.")
                elif act is Act.KEY:
                    _show_keys(signer, await last_seals(connection), as_json)
                else:
                    found = [one async for one in verify(connection, signer, now)]
                    if head is not None and not await has_head(connection, head):
                        found.append(Finding("HEAD_UNKNOWN"))
                    _show(found, as_json)
    finally:
        await storage.dispose()


def _show_keys(signer: Signer, seals: list[Seal], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"public_keys": signer.public_keys(), "last": [*map(asdict, seals)]}, default=str))
        return
    for name, key in signer.public_keys().items():
        out.print(f"Ed25519 {name}: {key}", markup=False)
    for one in seals:
        out.print(f"{one.tenant} {one.day} ({one.key_id}): {one.head}", markup=False)


def _show(found: list[Finding], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([*map(asdict, found)], default=str))
    elif not found:
        out.print("历史完好。The history is whole.")
    else:
        table = Table(box=None)
        for name in ("事项 case", "# seq", "日 day", "问题 trouble"):
            table.add_column(name)
        for one in found:
            zh, en = (catalogue().say("audit", one.why, language) for language in LANGUAGES)
            table.add_row(one.number or str(one.case_id or "–"), str(one.seq or "–"), str(one.day or "–"), f"{zh} {en}")
        out.print(table)
    if found:
        raise typer.Exit(FAILURE)
