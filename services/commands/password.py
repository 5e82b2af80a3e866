"""`shangliang password`: give an account a password from the machine itself, the first administrator's above all."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.commands.connected import connected_settings
from services.commands.terminal import fail, out, run
from services.identity.accounts import Accounts
from services.identity.actors import Directory
from services.identity.errors import Unfit
from services.identity.second_factor import SecondFactors
from services.identity.tokens import Tokens
from services.storage.database import NoDatabaseError, answering, database
from services.storage.people_records import account_row
from services.storage.sealing import Seal
from services.texts.catalogue import catalogue

EPILOG = "例 Examples: shangliang password admin · shangliang password admin < password.txt"
CLERK = "password-command"


def password(username: Annotated[str, typer.Argument(help="账号。Username.")]) -> None:
    """为账号设置新密码(从提示或标准输入读取);原有登录全部失效。

    Give an account a new password, typed or from standard input; every sign-in of before ends.
    """
    given = (
        typer.prompt("新密码 New password", hide_input=True, confirmation_prompt=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\r\n")
    )
    run(_set(username, given))


async def _set(username: str, given: str) -> None:
    settings = connected_settings()
    assert settings.database_url is not None
    assert settings.token_key is not None
    storage = database(settings.database_url.get_secret_value(), application_name="shangliang-password")
    seal_keys = settings.seal_keys
    codes = SecondFactors(storage, Seal(seal_keys, next(iter(seal_keys))), lambda: datetime.now(UTC))
    tokens = Tokens(settings.token_key.get_secret_value())
    accounts = Accounts(storage, directory=Directory(storage), tokens=tokens, codes=codes)
    try:
        with answering():
            async with storage.connect() as connection:
                account = await account_row(connection, username)
            if account is None:
                fail(f"没有账号 {username}。", f"There is no account {username}.")
            await accounts.set_password(account["id"], given, by=CLERK)
            out.print("已设置。Done.")
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except Unfit as refusal:
        words = catalogue()
        fail(*(words.say("reason", refusal.reason, language, **refusal.details) for language in ("zh", "en")))
    finally:
        await storage.dispose()
