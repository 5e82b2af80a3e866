"""Everything that the environment decides, read once by a composition root and frozen."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

import services
from services.storage.keys import PAYLOADS, derived, key_id, unpacked

PREFIX = "SHANGLIANG_"
SEAL_KEY_BYTES = 32
SHORTEST_TOKEN_KEY = 32
_ORIGIN = re.compile(r"https?://[a-zA-Z0-9.\[\]:-]+")
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class SettingsInvalid(Exception):
    """A variable of the environment cannot be used; `problems` names each with the reason."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _home() -> Path:
    """Give `.shangliang` in the checkout, or where the program was started when it is installed."""
    checkout = Path(services.__file__ or "").resolve().parent.parent
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / ".shangliang"


class Settings(BaseSettings):
    """The settings of one process (design/api.md, "Start and surroundings"), from variables `SHANGLIANG_…`.

    Times are seconds. Addresses and keys that are None come from the home, where `shangliang up` runs the
    servers.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", validate_default=True
    )

    secrets_dir: Path | None = None
    """A folder with secrets as files, `shangliang_seal_key` and so on (Docker, systemd); variables win."""
    home: Path = Field(default_factory=_home)
    """Where the embedded servers keep their data."""
    host: str = "127.0.0.1"
    """The address that API and console listen on."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    policy: str = "lanzhou_2021"
    """The policy pack pinned by new cases."""
    database_url: SecretStr | None = None
    database_pool: Annotated[int, Field(ge=1, le=100)] = 8
    """Connections of one process."""
    temporal_address: str | None = None
    temporal_namespace: str = "shangliang"
    demo: bool = True
    """Load the demonstration street at `up`."""
    demo_password: SecretStr | None = None
    token_key: SecretStr | None = None
    """Signs the tokens of people who have signed in."""
    token_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 60
    session_days: Annotated[int, Field(ge=1, le=365)] = 30
    """How long a sign-in can be renewed without the password."""
    second_factor: Literal["off", "approvers"] | None = None
    """`approvers`: roles that approve are held only by those who have shown a one-time code; the default, except
    where the demonstration street is loaded."""
    rate_account: Annotated[int, Field(ge=0)] = 30_000
    """Requests a minute that one account may make of one API process; 0 is no limit."""
    rate_sign_in: Annotated[int, Field(ge=0)] = 600
    """Attempts a minute to sign in from one address; 0 is no limit."""
    oidc_issuer: str | None = None
    """An OpenID provider by which people may sign in, such as `https://login.example.gov.cn`."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_username_claim: str = ""
    """The provider's claim that names our accounts; empty: an administrator links people by hand."""
    seal_key: SecretStr | None = None
    """Seals what people wrote while it passes through the engine: 32 bytes in base64."""
    retired_seal_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Earlier seal keys, separated by commas: they seal nothing more, but open what is still under way."""
    demo_permits: bool = True
    """Admit the units of the demonstration street after the first start."""
    cadences: bool = True
    """Let months and years begin: a worker that is only to carry out work may leave that to others."""
    encrypt_payloads: bool = True
    """Encrypt what the engine keeps; off only for one release, while workers that cannot read it still run."""
    mode: Literal["development", "production"] = "development"
    """In production nothing starts with demonstration accounts, with weak keys, with keys of its own beside servers
    that others share, or with a database role that could change the history."""
    database_reader: str | None = None
    """The database role that answers people, which sees no row that the asker may not know of; None: no second wall."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins (`https://host`), separated by commas, whose pages may call the API from a browser."""
    codec_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of the engine's own pages, which may ask for encrypted payloads to be opened."""
    engine_ui: str = ""
    """Where the engine's own pages are; administrators find their way to them from an incident."""
    attachments_url: str | None = None
    """Where attached files go: a folder (`file:///…`) or a bucket (`s3://…`); else a folder of the home."""
    public_url: str = ""
    """Where people reach the product, such as `https://example.gov.cn`; printed on documents and put into notices."""
    last_resort: str | None = None
    """Username of who is told when nobody is in any role up to the city; else the administrators are."""
    mail_url: SecretStr | None = None
    """The deployment's mail gateway, `mailtos://user:password@smtp.example.com?from=…`, for plain mail addresses."""
    templates: Path | None = None
    """The city's own folder of document templates: `<pack>/<KIND>.docx`; what is not there ships with the program."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_json: bool | None = None
    """JSON lines instead of text; by default JSON wherever no person is looking at a terminal."""
    request_timeout: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How long a request waits for engine and database before it answers 503."""
    grace: Annotated[float, Field(ge=0, le=300)] = 20.0
    """How long a process that is told to stop may finish what it has begun."""
    sandbox: bool = False
    """Run workflows in Temporal's sandbox: doubles the worker's CPU, and finds impure rules."""
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Where a worker shows its own figures to Prometheus; None shows none."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(
            ("postgresql://", "postgres://", "postgresql+asyncpg://")
        ):
            raise ValueError("must begin with postgresql://")
        if url is None:
            return None
        # The driver asks for one spelling of the two that PostgreSQL itself takes.
        return SecretStr(url.get_secret_value().replace("postgres://", "postgresql://", 1))

    @field_validator("temporal_address")
    @classmethod
    def _is_address(cls, address: str | None) -> str | None:
        if address is not None:
            host, _, port = address.rpartition(":")
            if not host or not port.isdecimal():
                raise ValueError("must be host:port")
        return address

    @field_validator("retired_seal_keys", "cors_origins", "codec_origins", mode="before")
    @classmethod
    def _split(cls, keys: object) -> object:
        return tuple(part.strip() for part in keys.split(",") if part.strip()) if isinstance(keys, str) else keys

    @field_validator("cors_origins", "codec_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for one in origins:
            if not _ORIGIN.fullmatch(one):
                raise ValueError("must be origins such as https://example.org, and no wildcard")
        return origins

    @field_validator("database_reader")
    @classmethod
    def _is_role(cls, role: str | None) -> str | None:
        if role is not None and not _ROLE.fullmatch(role):
            raise ValueError("must be the name of a database role")
        return role

    @field_validator("seal_key", "retired_seal_keys")
    @classmethod
    def _have_length(cls, keys: SecretStr | tuple[SecretStr, ...] | None) -> object:
        for key in (keys,) if isinstance(keys, SecretStr) else keys or ():
            if len(unpacked(key.get_secret_value())) != SEAL_KEY_BYTES:
                raise ValueError(f"must be {SEAL_KEY_BYTES} bytes in base64")
        return keys

    @field_validator("token_key")
    @classmethod
    def _is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value().encode()) < SHORTEST_TOKEN_KEY:
            raise ValueError(f"must have at least {SHORTEST_TOKEN_KEY} bytes")
        return key

    @property
    def seal_keys(self) -> dict[str, bytes]:
        """Every seal key under its id, the one that seals now first; empty when none is given."""
        given = (*((self.seal_key,) if self.seal_key else ()), *self.retired_seal_keys)
        keys = [unpacked(key.get_secret_value()) for key in given]
        return {key_id(key): key for key in keys}

    def keys_for(self, purpose: str) -> dict[str, bytes]:
        """Keys of one purpose (services/storage/keys.py) under the same ids, the one in use first."""
        return {} if purpose == PAYLOADS and not self.encrypt_payloads else derived(self.seal_keys, purpose)

    @property
    def guards_approvers(self) -> bool:
        """Whether roles that approve ask for a second factor."""
        return self.second_factor == "approvers" or (self.second_factor is None and not self.demo)

    @property
    def secrets(self) -> Path:
        """Where the keys of this machine lie, when the environment gives none."""
        return self.home / "secrets"

    @property
    def store_url(self) -> str:
        """Where attached files are kept."""
        return self.attachments_url or (self.home / "attachments").as_uri()


def load_settings(**overrides: object) -> Settings:
    """Read the environment; `overrides` come from the command line and win. Raises `SettingsInvalid`."""
    given = {name: value for name, value in overrides.items() if value is not None}
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    try:
        return Settings(**given, _secrets_dir=folder or None)  # type: ignore[arg-type]  # checked by pydantic at run time
    except ValidationError as refused:
        raise SettingsInvalid(
            tuple(
                f"{PREFIX}{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
                for problem in refused.errors(include_input=False, include_url=False)
            )
        ) from None
