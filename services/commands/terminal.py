"""How commands speak: Chinese first, English beside it, problems on the error stream."""

import asyncio
import contextlib
import io
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer
import uvloop
from rich.console import Console

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

FAILURE = 1
MISUSE = 2


def fail(zh: str, en: str, *, code: int = FAILURE) -> NoReturn:
    """End the command with a reason in both languages and an exit code."""
    err.print(f"✗ {zh}", style="red", markup=False)
    err.print(f"  {en}", markup=False)
    raise typer.Exit(code)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end on the fast loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def leave(code: int) -> NoReturn:
    """End the process at once: the engine's native runtime may abort in an orderly exit (guides/temporal.md §13)."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


def speak_any_encoding() -> None:
    """Let a terminal that has no Chinese letters show question marks instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
