"""The folder where one machine keeps its databases, logs and secrets (SHANGLIANG_HOME)."""

import contextlib
import fcntl
import json
import os
import pwd
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from services.embedded.problems import HomeHalfRestored, HomeInUse, HomeNotOurs, HomeUnusable

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Home:
    """One instance's folder; everything that must survive a restart is below it."""

    RESTORING: ClassVar[str] = "restoring"

    root: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data."""
        return self.root / "postgres"

    @property
    def temporal(self) -> Path:
        """The engine's store, one SQLite file with its journal beside it."""
        return self.root / "temporal.db"

    @property
    def logs(self) -> Path:
        """One file per process, the older parts as `.1` and `.2`."""
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        """Keys and passwords made on this machine; mode 0600."""
        return self.root / "secrets"

    @property
    def attachments(self) -> Path:
        """Files that people attached, unless they are kept elsewhere."""
        return self.root / "attachments"

    @property
    def running(self) -> Path:
        """Where the servers that run now can be reached; gone when none run."""
        return self.root / "running.json"

    @property
    def restoring(self) -> Path:
        """Where a backup is put together before it takes its place; gone when none is."""
        return self.root / self.RESTORING

    def make(self) -> None:
        """Create the folders that are missing; raises `HomeNotOurs`, `HomeUnusable` or `HomeHalfRestored`."""
        try:
            if self.restoring.exists():
                raise HomeHalfRestored(self.root)
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.root, os.W_OK | os.X_OK):
                raise PermissionError
            for folder in (self.logs, self.secrets, self.attachments):
                folder.mkdir(mode=0o700, exist_ok=True)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError
        except PermissionError as refused:
            raise HomeNotOurs(self.root, _owner(self.root)) from refused
        except OSError as refused:
            raise HomeUnusable(self.root, refused) from refused

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this home for one program; raises `HomeInUse` at once when another one has it.

        The kernel gives the lock back when the holder ends, so a killed program leaves nothing to clear away.
        """
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as refused:
                file.seek(0)
                raise HomeInUse(self.root, file.read().strip() or "pid ?") from refused
            file.truncate(0)
            file.write(f"pid {os.getpid()}\n")
            file.flush()
            yield

    def secret(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(SECRET_BYTES)) -> str:
        """Give the secret of that name, made once and kept readable by its owner only."""
        path = self.secrets / name
        with contextlib.suppress(FileNotFoundError):
            return path.read_text().strip()
        value = make()
        # Written beside and moved, so that a crash in between cannot leave half a key.
        draft = path.with_name(f".{name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{value}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, this leaves a secret in place that another process made at the same moment.
            path.hardlink_to(draft)
        except FileExistsError:
            return path.read_text().strip()
        finally:
            draft.unlink()
        return value

    def remember_running(self, addresses: dict[str, str]) -> None:
        """Note where the servers are, for the commands that people start in another terminal."""
        draft = self.running.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"pid": str(os.getpid()), **addresses}, file, indent=1)
        draft.replace(self.running)

    def forget_running(self) -> None:
        """Take the note away when the servers stop."""
        self.running.unlink(missing_ok=True)

    def running_now(self) -> dict[str, str]:
        """Say where the servers of this home are; empty when nobody holds the home."""
        try:
            with (self.root / "lock").open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    noted = json.loads(self.running.read_text())
                    return {str(name): str(value) for name, value in noted.items()}
        except (FileNotFoundError, PermissionError):
            pass
        return {}


def _owner(path: Path) -> str:
    for place in (path, *path.parents):
        with contextlib.suppress(OSError, KeyError):
            return pwd.getpwuid(place.stat().st_uid).pw_name
    return "?"
