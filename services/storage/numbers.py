"""Human numbers of cases (编号): where a case lies, in which month it began, and a count."""

from datetime import datetime

from workflows.kernel.calendar import local

# An issue's number is digits alone, so that it can be typed on a telephone.
LETTERS = {
    "issue": "",
    "supervision": "D",
    "round": "Z",
    "meeting": "H",
    "slot": "S",
    "admission": "R",
    "inspection": "J",
    "refusal": "T",
    "formation": "P",
    "membership": "W",
    "notice": "G",
    "objection": "Y",
    "supervision_order": "B",
    "exclusion": "C",
    "emergency": "E",
    "commendation": "K",
}


def scope(process: str, community: str, opened_at: datetime) -> str:
    """Everything of a number but the count: letter of the process, community, month in Beijing."""
    letter = LETTERS.get(process)
    # A process that is not in the table is told apart by its name.
    prefix = f"{process.upper()}-" if letter is None else letter
    return f"{prefix}{community}{local(opened_at):%Y%m}"
