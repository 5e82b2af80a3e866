"""The settings of a command that talks to servers: given by the environment, or found in the running home."""

from pydantic import SecretStr

from services.commands.terminal import MISUSE, fail
from services.embedded.home import Home
from services.embedded.problems import StartRefused
from services.settings import Settings, SettingsInvalid, load_settings
from services.storage.keys import CURRENT, kept_in
from workflows.policy.packs import PackNotHere, available, load


def given_settings(**overrides: object) -> Settings:
    """Read the settings as they are; ends the command with exit code 2 when a variable cannot be used."""
    try:
        return load_settings(**overrides)
    except SettingsInvalid as refused:
        reasons = "; ".join(refused.problems)
        fail(f"环境变量不可用:{reasons}", f"The environment cannot be used: {reasons}", code=MISUSE)


def connected_settings(**overrides: object) -> Settings:
    """Read the settings and fill in the servers and keys of the home, so that nothing in them is missing.

    Ends the command with exit code 1 when no server is named and none runs in the home.
    """
    settings = given_settings(**overrides)
    home = Home(settings.home)
    running = home.running_now()
    database = settings.database_url or _secret(running.get("database_url"))
    temporal = settings.temporal_address or running.get("temporal_address")
    if "policy" in running and "policy" not in settings.model_fields_set and settings.database_url is None:
        # New cases of this terminal and of the service beside it go by the same pack.
        settings = settings.model_copy(update={"policy": running["policy"]})
    if database is None or temporal is None:
        fail(
            f"没有正在运行的服务器(目录 {settings.home})。请先运行 shangliang up,或设置 SHANGLIANG_DATABASE_URL "
            "和 SHANGLIANG_TEMPORAL_ADDRESS。",
            f"No servers run in {settings.home}. Run `shangliang up` first, or set SHANGLIANG_DATABASE_URL and "
            "SHANGLIANG_TEMPORAL_ADDRESS.",
        )
    return with_keys(settings.model_copy(update={"database_url": database, "temporal_address": temporal}))


def with_keys(settings: Settings) -> Settings:
    """Fill in the keys that the environment does not give from the home, where they are made once.

    Ends the command when the home cannot be used, or when there is no policy pack of the name given.
    """
    _known_policy(settings)
    if settings.token_key is not None and settings.seal_key is not None:
        return settings
    home = Home(settings.home)
    try:
        home.make()
        token_key = settings.token_key or SecretStr(home.secret("token_key"))
        seal_key = settings.seal_key or SecretStr(home.secret(CURRENT))
    except StartRefused as refused:
        fail(refused.zh, refused.en)
    retired = settings.retired_seal_keys
    if settings.seal_key is None:
        retired += tuple(map(SecretStr, kept_in(home.secrets)[1:]))
    return settings.model_copy(update={"token_key": token_key, "seal_key": seal_key, "retired_seal_keys": retired})


def _known_policy(settings: Settings) -> None:
    try:
        load(settings.policy)
    except PackNotHere:
        packs = ", ".join(available())
        fail(
            f"没有政策包 {settings.policy}(SHANGLIANG_POLICY)。可用:{packs}",
            f"There is no policy pack {settings.policy} (SHANGLIANG_POLICY). Available: {packs}",
            code=MISUSE,
        )


def _secret(text: str | None) -> SecretStr | None:
    return SecretStr(text) if text else None
