"""`shangliang doctor`: say what is wrong with this machine, and what helps."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import chinese_calendar
import typer
from rich.table import Table

from services.commands.connected import given_settings
from services.commands.terminal import out, run
from services.embedded.home import Home
from services.embedded.ports import bind, holder_of
from services.embedded.postgres import postgres_programs
from services.embedded.problems import StartRefused
from services.embedded.temporal import temporal_program
from services.readiness import Engine
from services.settings import PREFIX, Settings
from services.storage.database import healthy, single_connection
from services.storage.migrating import SchemaAheadError, schema

EPILOG = "例 Examples: shangliang doctor · SHANGLIANG_HOME=/srv/shangliang shangliang doctor"

LEAST_FREE = 2 * 1024**3
TASK_QUEUE = "gov"


class Verdict(StrEnum):
    """What was found."""

    GOOD = "正常 ok"
    NOTE = "注意 note"
    BAD = "错误 wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: what was looked at, what was found, in words."""

    subject: str
    verdict: Verdict
    words: str


def doctor() -> None:
    """检查本机与服务:有问题时退出代码为 1。Check this machine and the service; exit code 1 if something is wrong.

    可在 shangliang up 运行时执行,也可在启动之前执行。Works beside a running `shangliang up` and before the first.
    """
    settings = given_settings()
    findings = [*_machine(settings), *run(_service(settings))]
    table = Table("检查 check", "结果 result", "说明 what", show_lines=False)
    colors = {Verdict.GOOD: "green", Verdict.NOTE: "yellow", Verdict.BAD: "red"}
    for finding in findings:
        table.add_row(finding.subject, f"[{colors[finding.verdict]}]{finding.verdict}[/]", finding.words)
    out.print(table)
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(1)


def _machine(settings: Settings) -> list[Finding]:
    return [
        _python(),
        _program("PostgreSQL", lambda: postgres_programs() / "postgres"),
        _program("Temporal", temporal_program),
        _home(settings),
        _disk(settings),
        _port(settings),
        *_variables(),
        _calendar(),
    ]


def _python() -> Finding:
    words = f"{sys.version.split()[0]} · {sys.executable}"
    return Finding("Python", Verdict.GOOD if sys.version_info >= (3, 11) else Verdict.BAD, words)


def _program(name: str, find: Callable[[], Path]) -> Finding:
    try:
        found = find()
    except StartRefused as refused:
        return Finding(name, Verdict.BAD, f"{refused.zh} {refused.en}")
    runs = os.access(found, os.X_OK)
    return Finding(name, Verdict.GOOD if runs else Verdict.BAD, str(found))


def _home(settings: Settings) -> Finding:
    home = settings.home
    if home.exists() and not os.access(home, os.W_OK | os.X_OK):
        return Finding("目录 home", Verdict.BAD, f"{home}:当前用户不可写 not writable for this user")
    words = f"{home}" if home.exists() else f"{home}(首次启动时建立 made at the first start)"
    return Finding("目录 home", Verdict.GOOD, words)


def _disk(settings: Settings) -> Finding:
    place = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    words = f"{free / 1024**3:.1f} GB 可用 free"
    return Finding("磁盘 disk", Verdict.GOOD if free >= LEAST_FREE else Verdict.BAD, words)


def _port(settings: Settings) -> Finding:
    subject = "端口 port"
    taken = bind(settings.host, settings.port)
    if taken is not None:
        taken.close()
        return Finding(subject, Verdict.GOOD, f"{settings.port} 空闲 free")
    if Home(settings.home).running_now().get("api", "").endswith(f":{settings.port}"):
        return Finding(subject, Verdict.GOOD, f"{settings.port} 由本实例使用 used by this instance")
    words = f"{settings.port} 已被占用 taken: {holder_of(settings.port)}"
    return Finding(subject, Verdict.BAD, words)


def _variables() -> list[Finding]:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {f"{PREFIX}SHARED"}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return [Finding(name, Verdict.NOTE, "未知变量,不起作用 unknown, without effect") for name in unknown]


def _calendar() -> Finding:
    years = sorted({day.year for day in chinese_calendar.holidays})
    words = f"{years[0]}-{years[-1]} · chinese-calendar {version('chinese-calendar')}"
    return Finding("工作日历 calendar", Verdict.GOOD, words)


async def _service(settings: Settings) -> list[Finding]:
    running = Home(settings.home).running_now()
    given = settings.database_url.get_secret_value() if settings.database_url else None
    database = given or running.get("database_url")
    temporal = settings.temporal_address or running.get("temporal_address")
    if database is None and temporal is None:
        return [Finding("服务 service", Verdict.NOTE, "未在运行 not running: shangliang up")]
    checks: list[Awaitable[list[Finding]]] = []
    if database is not None:
        checks.append(_database(database))
    if temporal is not None:
        checks.append(_engine(Engine(temporal, settings.temporal_namespace), temporal))
    return [finding for group in await asyncio.gather(*checks) for finding in group]


async def _database(url: str) -> list[Finding]:
    engine = single_connection(url, application_name="shangliang-doctor")
    try:
        answers = await healthy(engine)
    finally:
        await engine.dispose()
    if not answers:
        return [Finding("数据库 database", Verdict.BAD, "没有应答 does not answer")]
    good = Finding("数据库 database", Verdict.GOOD, "应答 answers")
    try:
        state = await schema(url)
    except SchemaAheadError as refused:
        return [good, Finding("数据库版本 schema", Verdict.BAD, str(refused))]
    if not state.is_current:
        words = f"{state.current} → {state.head}:shangliang migrate"
        return [good, Finding("数据库版本 schema", Verdict.BAD, words)]
    return [good, Finding("数据库版本 schema", Verdict.GOOD, state.head)]


async def _engine(engine: Engine, address: str) -> list[Finding]:
    if not await engine.answers():
        return [Finding("流程引擎 Temporal", Verdict.BAD, f"{address} 没有应答 does not answer")]
    polled = await engine.is_worked(TASK_QUEUE) and await engine.carries_out(TASK_QUEUE)
    words = f"任务队列 task queue {TASK_QUEUE}" if polled else "没有工作进程执行任务 nobody carries out tasks"
    return [
        Finding("流程引擎 Temporal", Verdict.GOOD, address),
        Finding("工作进程 worker", Verdict.GOOD if polled else Verdict.BAD, words),
    ]
