"""What is known of the month of a body that must meet every month (例会月度) (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Data of a slot: `period` is the month (`2026-11`), `meetings` those that are set for it, oldest first."""

    body: str = ""
    period: str = ""
    meetings: tuple[str, ...] = ()
    held: str | None = None
    """The meeting that was held, in the month or as its make-up."""
