"""Run a program that ends when the one who started it ends, whatever ended that one.

A script of its own, for the bare interpreter and the standard library only:
`python -I -S leash.py SIGNAL PARENT USER PROGRAM [ARGUMENT ...]`. It becomes USER (a number pair `uid:gid`,
or `-` to stay), asks to be sent SIGNAL when process PARENT ends, and then becomes PROGRAM. It stands between
parent and program because none of this may run between fork and exec of a process that has threads.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
LOOK_EVERY = 0.5


def main() -> None:
    """Tie the program named on the command line to its parent and run it; does not return."""
    death, parent, user = signal.Signals(int(sys.argv[1])), int(sys.argv[2]), sys.argv[3]
    program = sys.argv[4:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE):
        # A shell that runs us in the background has some of these ignored, and that is inherited.
        signal.signal(number, signal.SIG_DFL)
    if user != "-":
        _become(user)
    os.umask(0o077)
    if sys.platform == "linux":
        # After the change of user, which would clear it; exec keeps it.
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:
            sys.exit(1)
        os.execv(program[0], program)
    sys.exit(watch(program, parent=parent, death=death))


def watch(program: list[str], *, parent: int, death: signal.Signals) -> int:
    """Stay beside the program and end it when the parent is gone: for systems without a death signal."""
    child = subprocess.Popen(program, close_fds=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, lambda received, frame: child.send_signal(received))
    while True:
        try:
            return child.wait(LOOK_EVERY)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent:
                child.send_signal(death)
                time.sleep(LOOK_EVERY)


def _become(user: str) -> None:
    uid, gid = (int(part) for part in user.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


if __name__ == "__main__":
    main()
