"""Which documents a case has: one for each event that makes one (文书), numbered, with a check code."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.kernel.process import Paper, Process

_NUMBER = re.compile(r"(?P<case>[A-Z0-9-]{1,40}?)-(?P<kind>[A-Z][A-Z_]{1,40})-(?P<seq>[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Issued:
    """A document of a case (文书): of which kind, made by which event, when, under which number (文号)."""

    paper: Paper
    number: str
    seq: int
    at: datetime


def issued(process: Process[Any], case_number: str, events: Iterable[Mapping[str, Any]]) -> tuple[Issued, ...]:
    """Give the documents of a case, oldest first.

    `events` are entries of its history: mappings with `seq`, `type`, `payload` and `occurred_at`.
    """
    return tuple(
        Issued(paper, number_of(case_number, paper.kind, entry["seq"]), entry["seq"], entry["occurred_at"])
        for entry in events
        for paper in process.papers
        if entry["type"] in paper.on and paper.when(entry["payload"])
    )


def number_of(case_number: str, kind: str, seq: int) -> str:
    """The number printed on a document: number of the case, kind, number of the event."""
    return f"{case_number}-{kind}-{seq}"


def parts_of(number: str) -> tuple[str, str, int] | None:
    """Case number, kind and event of a document's number; None when it cannot be one."""
    found = _NUMBER.fullmatch(number.strip().upper())
    return (found["case"], found["kind"], int(found["seq"])) if found else None


class Marks:
    """Check codes of documents (核验码): eight characters that nobody can make who does not hold the secret.

    The first of the `secrets` makes them; those of the others stay valid.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)

    def of(self, number: str) -> str:
        """Give the code of a document's number: always the same."""
        return self._code(self._secrets[0], number)

    def fits(self, number: str, code: str) -> bool:
        """Say whether somebody has the document before him."""
        given = code.strip().upper().encode()
        return any(hmac.compare_digest(self._code(one, number).encode(), given) for one in self._secrets)

    @staticmethod
    def _code(secret: bytes, number: str) -> str:
        digest = hmac.digest(secret, b"paper|" + number.encode(), hashlib.sha256)
        return base64.b32encode(digest)[:8].decode()
