"""`shangliang keys`: which keys protect what, a new one, and everything encrypted anew with it."""

from collections import Counter
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated

import typer

from services.commands.connected import connected_settings
from services.commands.terminal import MISUSE, fail, out, run
from services.settings import Settings
from services.storage.comments import comments_in_use, rotate_comments
from services.storage.contacts import keys_in_use, rotate
from services.storage.database import NoDatabaseError, answering, single_connection
from services.storage.factors import factors_in_use, rotate_factors
from services.storage.keys import drop, renew
from services.storage.notifications import addresses_in_use, rotate_addresses
from services.storage.sealing import Seal, SealBroken

EPILOG = (
    "例 Examples: shangliang keys show · shangliang keys new · shangliang keys rotate · shangliang keys drop 1a2b3c4d"
)


# Everything that is sealed for good; what is under way through the engine opens by its old key.
ROTATED = (rotate, rotate_addresses, rotate_factors, rotate_comments)
COUNTED = (keys_in_use, addresses_in_use, factors_in_use, comments_in_use)


class Act(StrEnum):
    """What to do."""

    SHOW = "show"
    NEW = "new"
    ROTATE = "rotate"
    DROP = "drop"


def keys(
    act: Annotated[Act, typer.Argument(help="show 列出 · new 生成 · rotate 重新加密 · drop 删除旧的")],
    key: Annotated[str | None, typer.Argument(help="drop:密钥编号。Id of the key to drop.")] = None,
) -> None:
    """密钥:查看、更换、重新加密。Keys: look at them, change them, encrypt anew.

    更换不停机:先 new(本机),各进程重启后改用新密钥,未重启的照样能读;再 rotate,分批重新加密联系方式;
    待旧流程历史过期后再 drop。自有服务器:先把新密钥加入各进程的 SHANGLIANG_RETIRED_SEAL_KEYS 并逐个重启,
    再换 SHANGLIANG_SEAL_KEY 逐个重启,然后 rotate。

    Nothing stops: `new` on this machine; a process uses the new key from its next start, and those that run on read it
    all the same; `rotate` encrypts contact details anew, in batches; `drop` the old one when no history of the engine
    is that old any more. On servers of one's own: first give every process the new key in SHANGLIANG_RETIRED_SEAL_KEYS
    and restart them one by one, then make it SHANGLIANG_SEAL_KEY, restart them one by one, then `rotate`.
    """
    if (key is None) == (act is Act.DROP):
        fail("只有 drop 需要密钥编号。", "The id of a key belongs to `drop`, and only to it.", code=MISUSE)
    settings = connected_settings()
    try:
        if act is Act.NEW:
            _here(settings)
            name = renew(settings.secrets)
            out.print(f"新密钥 {name};各进程下次启动后使用。New key {name}, used by each process from its next start.")
        else:
            run(_act(settings, act, key or ""))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except SealBroken as refused:
        fail("有内容所用的密钥不在本机,未更改。", f"Something is sealed with a key that is not here: {refused}")


def _here(settings: Settings) -> None:
    """Refuse to change keys that come from the environment: another program keeps those."""
    first = settings.seal_key.get_secret_value() if settings.seal_key else ""
    if not (settings.secrets / "seal_key").exists() or (settings.secrets / "seal_key").read_text().strip() != first:
        fail(
            "密钥由环境变量给出,请在那里更换(见 deploy/README)。",
            "The keys come from the environment; change them there (deploy/README).",
        )


async def _act(settings: Settings, act: Act, key: str) -> None:
    assert settings.database_url is not None, "connected_settings names the servers"
    known = settings.seal_keys
    seal = Seal(known, current=next(iter(known)))
    storage = single_connection(settings.database_url.get_secret_value(), application_name="shangliang-keys")
    try:
        with answering():
            if act is Act.ROTATE:
                done = 0
                while True:
                    # A transaction a batch: nobody waits for all of them.
                    async with storage.begin() as connection:
                        moved = sum([await one(connection, seal) for one in ROTATED])
                    if not moved:
                        break
                    done += moved
                out.print(f"已重新加密 {done} 条联系方式、通知地址和第二因子。Sealed {done} anew.")
                return
            async with storage.connect() as connection:
                used = dict(sum([Counter(await one(connection)) for one in COUNTED], Counter()))
        if act is Act.SHOW:
            _show(known, used, seal.current)
        elif used.get(key):
            fail(f"还有 {used[key]} 个字段用它加密;先 rotate。", f"{used[key]} fields still need it; `rotate` first.")
        else:
            _here(settings)
            if not drop(settings.secrets, key):
                fail(f"没有旧密钥 {key}。", f"There is no retired key {key}.")
            out.print(f"已删除 {key}。Dropped {key}.")
    finally:
        await storage.dispose()


def _show(known: Collection[str], used: Mapping[str, int], current: str) -> None:
    for name in dict.fromkeys((*known, *used)):
        state = "现用 in use" if name == current else "只读 opens only" if name in known else "不在本机 not here"
        out.print(f"{name or '未加密'}  {state if name else 'in clear'}  {used.get(name, 0)} 字段 fields", markup=False)
