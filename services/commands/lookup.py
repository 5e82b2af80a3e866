"""What the commands that only look have in common: which database, which process, how moments and spans are written."""

import re
from datetime import date, datetime, timedelta
from typing import NoReturn

from services.commands.connected import given_settings
from services.commands.terminal import MISUSE, fail
from services.embedded.home import Home
from workflows.kernel.calendar import CHINA, MIDNIGHT, day_that_ends
from workflows.kernel.process import Process
from workflows.registry import PROCESSES

SPAN = re.compile(r"(\d{1,5})(m|h|d)")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
COLORS = {"RED": "red", "YELLOW": "yellow", "BLUE": "blue"}


def database_url() -> str:
    """The address of the database, given or of the running home; ends the command with exit code 1 without one."""
    settings = given_settings()
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    running = Home(settings.home).running_now().get("database_url")
    if running is None:
        fail(
            f"没有数据库:{settings.home} 中没有正在运行的服务。请先运行 shangliang up,或设置 SHANGLIANG_DATABASE_URL。",
            f"No database: nothing runs in {settings.home}. Run `shangliang up` first, or set SHANGLIANG_DATABASE_URL.",
        )
    return running


def process_named(name: str) -> Process[object]:
    """A process by its singular or plural name; ends the command with exit code 2 for another."""
    found = PROCESSES.get(name)
    if found is None:
        known = ", ".join(sorted({process.plural for process in PROCESSES.values()}))
        fail(f"没有流程 {name}。可用:{known}", f"No process {name}. There are: {known}", code=MISUSE)
    return found


def span(text: str | None) -> timedelta | None:
    """A length of time as it is typed: `48h`, `5d`, `30m`; ends the command with exit code 2 for another."""
    if text is None:
        return None
    found = SPAN.fullmatch(text.strip().lower())
    if found is None:
        fail(
            f"时长 {text} 应写作 48h、5d 或 30m。",
            f"A length of time is written 48h, 5d or 30m, not {text}.",
            code=MISUSE,
        )
    return int(found[1]) * UNITS[found[2]]


def day(text: str | None) -> date | None:
    """A day as it is typed, `2026-03-01`; ends the command with exit code 2 for another."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"日期 {text} 应写作 2026-03-01。", f"A day is written 2026-03-01, not {text}.", code=MISUSE)


def color_named(text: str | None) -> str | None:
    """A rung of the ladder as it is typed; ends the command with exit code 2 for another."""
    if text is None:
        return None
    if (found := text.strip().upper()) not in COLORS:
        known = ", ".join(COLORS)
        fail(f"没有颜色 {text}。可用:{known}", f"There is no color {text}. There are: {known}", code=MISUSE)
    return found


def no_such_place(code: str) -> NoReturn:
    """End the command with exit code 2: nothing found in a place that is none would look like good news."""
    fail(f"没有区划代码 {code}。", f"There is no region {code}.", code=MISUSE)


def moment(at: datetime | None) -> str:
    """A moment as notices write it: the end of a day is its 24:00."""
    if at is None:
        return ""
    at = at.astimezone(CHINA)
    if at.time() == MIDNIGHT:
        return f"{day_that_ends(at)} 24:00"
    return f"{at:%Y-%m-%d %H:%M}"


def coloured(color: str) -> str:
    """A rung of the ladder in its own colour."""
    return f"[{COLORS[color]}]{color}[/]" if color in COLORS else ""
