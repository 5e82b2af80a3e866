"""How much of this machine's time other machines on the same host took: beside figures, so that they can be judged."""

from collections.abc import Callable

import psutil


def watch() -> Callable[[], float]:
    """Begin to watch; the answer gives the share that was taken since, 0 to 1 (0 where the system does not tell)."""
    before = psutil.cpu_times()

    def share() -> float:
        now = psutil.cpu_times()
        whole = sum(now) - sum(before)
        return (getattr(now, "steal", 0.0) - getattr(before, "steal", 0.0)) / whole if whole else 0.0

    return share
