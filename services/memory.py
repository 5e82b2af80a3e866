"""What a process that lives long does with what it keeps (内存)."""

import gc

YOUNG = 20_000
"""So many new objects before the youngest are looked through: a command makes thousands, all of them short-lived."""


def keep_what_is_loaded(*, young: int = YOUNG) -> None:
    """Take everything that is there now out of every collection, and look for cycles less often.

    The modules of the product are a million objects that never go; looking through them again and again costs a worker
    time and makes a case wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, 20, 20)
