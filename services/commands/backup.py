"""`shangliang backup DIR`: copy everything that one machine keeps, while it runs."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from services.commands.connected import given_settings
from services.commands.terminal import fail, out, run
from services.embedded.backup import take_backup
from services.embedded.home import Home
from services.embedded.manifest import BackupRefused, Manifest
from services.embedded.postgres import start_postgres
from services.embedded.problems import StartRefused
from services.settings import Settings

EPILOG = (
    "例 Examples: shangliang backup /srv/backups/monday · "
    "shangliang backup /srv/backups/monday --secrets /srv/keys/monday"
)


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="空目录或新目录。A new or empty folder.")],
    secrets: Annotated[
        Path | None, typer.Option(help="密钥另存于此;默认 DIR/secrets。Where the keys go, to be kept apart.")
    ] = None,
) -> None:
    """备份内置数据库、流程引擎、附件与密钥;不必停止服务。Copy database, engine, attached files and keys.

    服务运行时或停止后均可。目录含居民个人信息,仅属主可读,请妥善保管;密钥宜与数据分开存放。自有集群见 deploy/README。
    While the product runs or while it does not. The folder holds residents' personal data and is readable by its owner
    only; keep the keys apart from it. For servers of one's own see deploy/README.
    """
    settings = given_settings()
    try:
        made = run(_take(settings, folder.absolute(), secrets.absolute() if secrets else None))
    except (BackupRefused, StartRefused) as refused:
        fail(refused.zh, refused.en)
    size = f"{made.bytes / 1024**2:,.1f} MB"
    out.print(f"备份完成:{made.cases} 个事项,{made.events} 条记录,{size},截至 {made.postgres_at}", markup=False)
    out.print(
        f"backup complete: {made.cases} cases, {made.events} events, {size}, as of {made.postgres_at}", markup=False
    )
    out.print(f"  {folder.absolute()}", markup=False)
    if not made.attachments:
        out.print("! 附件保存在别处(SHANGLIANG_ATTACHMENTS_URL),不在备份中 attached files are elsewhere, not in it")
    if settings.token_key is not None or settings.seal_key is not None:
        out.print("! 环境变量中的密钥不在备份中,请另行保管 keys given by the environment are not in it: keep them too")


async def _take(settings: Settings, folder: Path, secrets: Path | None) -> Manifest:
    home = Home(settings.home)
    async with _database(settings, home) as database_url:
        return await take_backup(
            home,
            folder,
            database_url=database_url,
            secrets=secrets,
            attachments=settings.attachments_url is None,
        )


@contextlib.asynccontextmanager
async def _database(settings: Settings, home: Home) -> AsyncIterator[str]:
    """Give the address of the home's database; where the product does not run, the database runs for us alone."""
    running = home.running_now()
    if settings.database_url is not None or settings.temporal_address is not None:
        _refuse_foreign()
    if running:
        # What `up` was given from outside is not below the home.
        if "temporal_ui" not in running or not (home.postgres / "postmaster.pid").exists():
            _refuse_foreign()
        yield running["database_url"]
        return
    if not (home.postgres / "PG_VERSION").exists() or not home.temporal.exists():
        fail(f"{home.root} 中没有可备份的数据。", f"There is nothing to copy in {home.root}.")
    home.make()
    with home.locked():
        server = await start_postgres(home)
        try:
            yield server.database_url
        finally:
            await server.child.stop()


def _refuse_foreign() -> None:
    fail(
        "使用自有数据库或 Temporal 时,请用其自身的工具备份,见 deploy/README。",
        "Servers of one's own are copied by their own tools, see deploy/README.",
    )
