"""What a backup is: a folder whose manifest names every file with its hash, and what can be wrong with one.

    DIR/manifest.json      written last: a folder without it is no backup
    DIR/postgres/          everything that is on record, as pg_dump writes it
    DIR/engine/temporal.db the engine's store
    DIR/attachments/       files that people attached
    DIR/secrets/           keys, with a manifest of their own: this folder may be kept apart

BackupRefused
├── FolderTaken      the folder for the copy is not empty, or lies where it must not
├── NotABackup       no manifest, or one that cannot be read
├── BackupDamaged    a file is missing, or is not what was written
├── BackupTooNew     made by a newer program, database or engine than the ones here
├── HomeTaken        the home that is to be restored holds data
├── NoSpace          the disk is too small
└── CopyFailed       a program or the disk gave up on the way; carries what it said
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

FORMAT = 1
NAME = "manifest.json"
POSTGRES = "postgres"
ENGINE = "engine"
ATTACHMENTS = "attachments"
SECRETS = "secrets"
CHUNK = 1024 * 1024
SHOWN = 5


class BackupRefused(Exception):
    """A backup cannot be made or used; `zh` and `en` say why and what helps."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


class FolderTaken(BackupRefused):
    """There is something in the folder, or it is part of the home."""

    def __init__(self, folder: Path, zh: str, en: str) -> None:
        super().__init__(f"备份目录 {folder} 不能使用:{zh}。", f"{folder} cannot take the backup: {en}.")


class NotABackup(BackupRefused):
    """The folder has no manifest that can be read."""

    def __init__(self, folder: Path, zh: str, en: str) -> None:
        super().__init__(f"{folder} 不是完整的备份:{zh}。", f"{folder} is not a finished backup: {en}.")


class BackupDamaged(BackupRefused):
    """Files are missing or changed; `problems` names each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        shown = "; ".join(problems[:SHOWN]) + (f"; … ({len(problems)})" if len(problems) > SHOWN else "")
        super().__init__(
            f"备份已损坏,未写入任何内容:{shown}", f"The backup is damaged, and nothing was written: {shown}"
        )
        self.problems = problems


class BackupTooNew(BackupRefused):
    """Something in the backup is newer than what would have to read it."""

    def __init__(self, what: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"备份由更新的程序制作({what} {theirs},本机 {ours})。请先安装更新的版本。",
            f"The backup was made by something newer ({what} {theirs}, here {ours}). Install the newer version first.",
        )


class HomeTaken(BackupRefused):
    """The home already holds data, which a restore would replace."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"{home} 中已有数据。请用 SHANGLIANG_HOME 指定空目录;或加 --force-empty,原有数据会移到其中的 replaced-… "
            "目录。",
            f"{home} holds data. Set SHANGLIANG_HOME to an empty folder, or add --force-empty: what is there is then "
            "moved to a folder replaced-… in it.",
        )


class NoSpace(BackupRefused):
    """There is less room than the copy needs."""

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        here, there = f"{free / 1024**2:,.0f} MB", f"{needed / 1024**2:,.0f} MB"
        super().__init__(
            f"{folder} 所在磁盘空间不足:需要约 {there},可用 {here}。",
            f"The disk of {folder} is too small: about {there} are needed, {here} are free.",
        )


class CopyFailed(BackupRefused):
    """A program or the disk gave up; what was written so far has been taken away."""

    def __init__(self, step: str, said: str) -> None:
        super().__init__(
            f"{step} 失败,已清除未完成的内容:{said}", f"{step} failed; what was unfinished is gone: {said}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds. `rows` counts every table at the very moment of the copy, `files` gives bytes and sha256."""

    id: str
    engine_at: str
    """When the engine's store was copied: always before `postgres_at`."""
    postgres_at: str
    """The moment of which PostgreSQL's copy is a picture."""
    program: str
    schema: str
    """The revision of the database."""
    postgres: str
    temporal: str
    rows: Mapping[str, int]
    database_bytes: int
    """What the database took up, with its indices."""
    attachments: bool
    """False when attached files are kept elsewhere, and so are not in here."""
    files: Mapping[str, tuple[int, str]]
    format: int = FORMAT

    @property
    def cases(self) -> int:
        """How many cases are on record."""
        return self.rows.get("case_file", 0)

    @property
    def events(self) -> int:
        """How many entries all histories have."""
        return self.rows.get("event", 0)

    @property
    def bytes(self) -> int:
        """What the copies take up."""
        return sum(size for size, _ in self.files.values())

    def write(self, folder: Path) -> None:
        """Write the manifest as the last thing of a backup; whoever finds it finds all of it."""
        put(folder / NAME, json.dumps(asdict(self), indent=1, ensure_ascii=False))


def read(folder: Path) -> Manifest:
    """Read the manifest of a backup; raises `NotABackup` or `BackupTooNew`."""
    found = _object(folder)
    if found.get("format") != FORMAT:
        raise BackupTooNew("format", str(found.get("format")), str(FORMAT))
    try:
        given = {one.name: found[one.name] for one in fields(Manifest)}
        files = {str(name): (int(size), str(sha)) for name, (size, sha) in given["files"].items()}
        rows = {str(name): int(count) for name, count in given["rows"].items()}
        return Manifest(**{**given, "files": files, "rows": rows, "database_bytes": int(given["database_bytes"])})
    except (AttributeError, KeyError, TypeError, ValueError) as refused:
        raise NotABackup(folder, "清单内容有误", f"its manifest lacks {refused}") from refused


def write_secrets(folder: Path, of: str) -> None:
    """Write the small manifest of a folder of secrets that belongs to backup `of`."""
    put(folder / NAME, json.dumps({"of": of, "files": hashes(folder)}, indent=1))


def secret_files(folder: Path, of: str) -> Mapping[str, tuple[int, str]]:
    """Name the secrets of backup `of` with their hashes; raises `NotABackup` for those of another one."""
    found = _object(folder)
    if found.get("of") != of:
        raise NotABackup(folder, "密钥属于另一份备份", "these secrets belong to another backup")
    return {str(name): (int(size), str(sha)) for name, (size, sha) in found["files"].items()}


def hashes(folder: Path) -> dict[str, tuple[int, str]]:
    """Hash every file below a folder, close it to others, and wait until the disk has it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o700)
        elif path.is_file():
            path.chmod(0o600)
            found[path.relative_to(folder).as_posix()] = _hash(path, sync=True)
    return found


def problems(folder: Path, files: Mapping[str, tuple[int, str]]) -> list[str]:
    """Say what is wrong with the files of a backup: each that is missing, or is not what was written."""
    wrong = []
    for name, expected in files.items():
        path = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            wrong.append(f"{name}: 路径不合法 not a path of a backup")
            continue
        try:
            found = _hash(path)
        except FileNotFoundError:
            wrong.append(f"{name}: 缺失 missing")
            continue
        except OSError as refused:
            wrong.append(f"{name}: 不可读 unreadable ({refused.strerror})")
            continue
        if found[0] != expected[0]:
            wrong.append(f"{name}: 大小不符 {found[0]} bytes instead of {expected[0]}")
        elif found[1] != expected[1]:
            wrong.append(f"{name}: 校验和不符 wrong sha256")
    return wrong


def put(path: Path, text: str) -> None:
    """Write a small file whole, for its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _hash(path: Path, *, sync: bool = False) -> tuple[int, str]:
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
        if sync:
            os.fsync(file.fileno())
        return file.tell(), sha


def _object(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / NAME).read_text())
    except FileNotFoundError:
        raise NotABackup(folder, f"缺少 {NAME}", f"there is no {NAME}") from None
    except (OSError, ValueError) as refused:
        raise NotABackup(folder, f"{NAME} 不可读", f"{NAME} cannot be read: {refused}") from refused
    if not isinstance(found, dict):
        raise NotABackup(folder, f"{NAME} 不可读", f"{NAME} cannot be read")
    return found
