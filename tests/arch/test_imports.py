"""Importing a module does nothing: no connection, no settings, no file, no thread, no line printed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Run in a fresh interpreter in a folder where nothing may be written and no address can be reached.
WATCHED = """
import importlib, pkgutil, socket, sys, threading

def refuse(event, arguments):
    if event in {"socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.mkdir", "os.remove"}:
        raise AssertionError(f"{event} at import: {arguments}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise AssertionError(f"a file is written at import: {arguments}")

sys.dont_write_bytecode = True
names = []
for package in ("workflows", "activities", "services"):
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        names.append(found.name)
sys.addaudithook(refuse)
for name in names:
    if "_migrations" not in name:
        importlib.import_module(name)
assert threading.active_count() == 1, threading.enumerate()
"""


def test_importing_everything_does_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", WATCHED],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "SHANGLIANG_PORT": "not a number"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
