"""A program of ours ends when we do, whatever ended us."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from services.embedded.child import LEASH

WITHIN = 10.0

# A parent that starts a sleeper on the leash, says its pid, and waits to be killed.
ON_THE_LEASH = """
import os, subprocess, sys, time
sleeper = subprocess.Popen(
    [sys.executable, "-I", "-S", sys.argv[1], sys.argv[2], str(os.getpid()), "-",
     sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
)
time.sleep(600)
"""
# The same beside a watcher, as where there is no death signal.
BESIDE_A_WATCHER = """
import os, signal, subprocess, sys, time
watcher = '''
import importlib.util, os, signal, sys
spec = importlib.util.spec_from_file_location("leash", sys.argv[1])
leash = importlib.util.module_from_spec(spec)
spec.loader.exec_module(leash)
sleeper = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
sys.exit(leash.watch(sleeper, parent=os.getppid(), death=signal.Signals(int(sys.argv[2]))))
'''
subprocess.Popen([sys.executable, "-c", watcher, *sys.argv[1:]])
time.sleep(600)
"""


@pytest.mark.parametrize("parent", [ON_THE_LEASH, BESIDE_A_WATCHER], ids=["death signal", "watcher"])
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_takes_its_program_along(parent: str, death: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", parent, str(LEASH), str(int(death))], stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        sleeper = psutil.Process(int(started.stdout.readline()))

        started.kill()

        gone, alive = psutil.wait_procs([sleeper], timeout=WITHIN)
        assert (gone, alive) == ([sleeper], [])


def test_a_program_whose_parent_is_gone_already_does_not_start(tmp_path: Path) -> None:
    nobody = subprocess.Popen([sys.executable, "-c", ""])
    nobody.wait()

    command = [sys.executable, "-I", "-S", str(LEASH), "9", str(nobody.pid), "-", "/usr/bin/env", "true"]
    ended = subprocess.run(command, check=False)

    assert ended.returncode == 1


def test_a_program_gets_signals_that_our_starter_ignored() -> None:
    command = [sys.executable, "-I", "-S", str(LEASH), "9", str(os.getpid()), "-"]
    show = "import signal; print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        ended = subprocess.run(
            [*command, sys.executable, "-c", show], capture_output=True, text=True, restore_signals=False, check=False
        )
    finally:
        signal.signal(signal.SIGTERM, before)

    assert ended.stdout == "True\n"
