"""`shangliang restore DIR`: put a backup into an empty home."""

from pathlib import Path
from typing import Annotated

import typer

from services.commands.connected import given_settings
from services.commands.terminal import err, fail, out, run
from services.embedded.home import Home
from services.embedded.manifest import BackupRefused
from services.embedded.problems import HomeUnusable, StartRefused
from services.embedded.restore import restore_backup
from services.storage.migrating import knows_schema

EPILOG = (
    "例 Examples: shangliang restore /srv/backups/monday · "
    "SHANGLIANG_HOME=/srv/second shangliang restore /srv/backups/monday --secrets /srv/keys/monday"
)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="备份目录。A folder made by `shangliang backup`.")],
    secrets: Annotated[
        Path | None, typer.Option(help="另存的密钥目录。The folder of keys, when they were kept apart.")
    ] = None,
    new_secrets: Annotated[
        bool,
        typer.Option("--new-secrets", help="密钥已丢失:生成新密钥,居民查询码和登录失效。Keys are lost: make new ones."),
    ] = False,
    without_engine: Annotated[
        bool, typer.Option("--without-engine", help="不恢复流程引擎,由数据库重建。Build the engine from the database.")
    ] = False,
    force_empty: Annotated[
        bool, typer.Option("--force-empty", help="目录中已有的数据移到 replaced-…。Move what is there aside.")
    ] = False,
) -> None:
    """把备份恢复到空的数据目录;先核对全部校验和,不启动服务。Put a backup into an empty home; starts nothing.

    随后运行 shangliang up,再运行 shangliang reconcile --repair,使引擎与数据库一致。
    Then run `shangliang up`, and beside it `shangliang reconcile --repair`, which brings the engine to where the
    database is. New keys end every sign-in and the check codes that residents were given.
    """
    if new_secrets and secrets is not None:
        fail("--secrets 与 --new-secrets 只能用一个。", "Either --secrets or --new-secrets.", code=2)
    settings = given_settings()
    home = Home(settings.home)
    try:
        restored = run(
            restore_backup(
                folder.absolute(),
                home,
                knows_schema=knows_schema,
                secrets=secrets.absolute() if secrets else None,
                new_secrets=new_secrets,
                with_engine=not without_engine,
                replace=force_empty,
            )
        )
    except (BackupRefused, StartRefused) as refused:
        fail(refused.zh, refused.en)
    except OSError as refused:
        unusable = HomeUnusable(home.root, refused)
        fail(unusable.zh, unusable.en)
    made = restored.manifest
    out.print(f"恢复完成:{made.cases} 个事项,{made.events} 条记录,截至 {made.postgres_at}", markup=False)
    out.print(f"restored: {made.cases} cases, {made.events} events, as of {made.postgres_at}", markup=False)
    if restored.replaced is not None:
        out.print(f"  原有数据 what was there: {restored.replaced}", markup=False)
    out.print("  接着 next: shangliang up · shangliang reconcile --repair", markup=False)
    if settings.database_url is not None or settings.temporal_address is not None:
        err.print("! 环境变量指定了其他服务器,up 不会使用此目录 the environment names other servers than this home's")
