"""Refuse to serve people with what was made for trying: invented accounts, weak keys, a role that is too mighty."""

import time

from services.commands.connected import connected_settings, given_settings
from services.commands.terminal import MISUSE, err, fail, run
from services.embedded.home import Home
from services.embedded.problems import StartRefused
from services.settings import Settings
from services.storage.database import NoDatabaseError
from services.storage.fitness import DEMONSTRATION, NO_READER, TOO_MIGHTY, unfit

LOOK_EVERY = 2.0
# A key that somebody typed has few different bytes; 32 random ones have hardly ever fewer than 24.
LEAST_DIFFERENT = 16
WORDS = {
    "DEMO_STREET": (
        "示范街道未关闭(SHANGLIANG_DEMO=false)",
        "the demonstration street is not off (SHANGLIANG_DEMO=false)",
    ),
    "TOKEN_KEY_MISSING": ("未给出 SHANGLIANG_TOKEN_KEY", "SHANGLIANG_TOKEN_KEY is not given"),
    "SEAL_KEY_MISSING": ("未给出 SHANGLIANG_SEAL_KEY", "SHANGLIANG_SEAL_KEY is not given"),
    "TOKEN_KEY_WEAK": ("SHANGLIANG_TOKEN_KEY 过于简单", "SHANGLIANG_TOKEN_KEY is too simple"),
    "SEAL_KEY_WEAK": ("SHANGLIANG_SEAL_KEY 过于简单", "SHANGLIANG_SEAL_KEY is too simple"),
    "KEYS_EQUAL": ("两个密钥相同", "both keys are the same"),
    "READER_MISSING": ("未给出 SHANGLIANG_DATABASE_READER", "SHANGLIANG_DATABASE_READER is not given"),
    "PAYLOADS_IN_CLEAR": ("流程引擎内容未加密(SHANGLIANG_ENCRYPT_PAYLOADS)", "payloads of the engine are in clear"),
    DEMONSTRATION: ("库中有示范账户", "there are demonstration accounts"),
    TOO_MIGHTY: ("数据库角色可以改动历史", "the database role could change the history"),
    NO_READER: ("数据库角色不能使用 SHANGLIANG_DATABASE_READER", "the database role is no member of the reader"),
}


def faults(given: Settings, settings: Settings, *, own_servers: bool) -> list[str]:
    """What is wrong before any server is asked; `given` is the environment, `settings` has the home's keys too."""
    found = []
    if settings.demo and not own_servers:
        found.append("DEMO_STREET")
    for name, secret, missing in (
        ("TOKEN_KEY", settings.token_key, given.token_key is None),
        ("SEAL_KEY", settings.seal_key, given.seal_key is None),
    ):
        # Several machines must have the same keys; on one machine those that it made itself are as good as any.
        if own_servers and missing:
            found.append(f"{name}_MISSING")
        elif secret is not None and len(set(secret.get_secret_value())) < LEAST_DIFFERENT:
            found.append(f"{name}_WEAK")
    if settings.token_key is not None and settings.token_key == settings.seal_key:
        found.append("KEYS_EQUAL")
    if own_servers and settings.database_reader is None:
        found.append("READER_MISSING")
    if not settings.encrypt_payloads:
        found.append("PAYLOADS_IN_CLEAR")
    return found


def require_fit() -> None:
    """End a command that serves with exit code 2 when it is told to be productive and must not be.

    A database that is away is waited for: servers start in any order, and tables come with the migration.
    """
    given = given_settings()
    if given.mode != "production":
        return
    settings = connected_settings()
    # Below `up`, everything but the database's content has been looked at there.
    below = bool(Home(settings.home).running_now())
    _refuse(faults(given, settings, own_servers=not below))
    assert settings.database_url is not None, "connected_settings names the servers"
    while True:
        try:
            _refuse(run(unfit(settings.database_url.get_secret_value(), settings.database_reader)))
            return
        except NoDatabaseError as waiting:
            err.print(f"等待数据库 waiting for the database: {waiting}", markup=False)
            time.sleep(LOOK_EVERY)


def require_fit_machine(given: Settings, settings: Settings) -> None:
    """The same for `up`, before it starts anything; its database it asks by `refused_by`."""
    if settings.mode == "production":
        _refuse(faults(given, settings, own_servers=False))


async def refused_by(url: str, reader: str | None, settings: Settings) -> None:
    """Raise `StartRefused` when the database is not fit for production, and production is what is wanted."""
    if settings.mode == "production" and (found := await unfit(url, reader)):
        raise StartRefused(*_said(found))


def _refuse(found: list[str]) -> None:
    if found:
        zh, en = _said(found)
        fail(zh, en, code=MISUSE)


def _said(found: list[str]) -> tuple[str, str]:
    zh, en = ("; ".join(WORDS[code][language] for code in found) for language in (0, 1))
    return f"生产模式(SHANGLIANG_MODE=production)拒绝启动:{zh}", f"Will not start in production: {en}"
