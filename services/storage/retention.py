"""Forget what is kept no longer (保存期限, data-model §7.4): each rule with its parameter of the policy pack.

Events and decisions stay for good; they hold ids and references only. A text that was forgotten is shown as null.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.policy.pack import Pack

BATCH = 1000
ACTOR = "retention"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is forgotten, and by which parameter; `due` selects the keys of a table that are older than `:before`."""

    code: str
    parameter: str
    zh: str
    en: str
    table: str
    keys: tuple[str, ...]
    due: str


_CLOSED = "SELECT id FROM case_file WHERE closed_at < :before"
RULES = (
    Rule(
        "CONTACTS",
        "retention.contact",
        "已办结事项的联系方式",
        "Contact details of closed cases",
        "contact",
        ("case_id", "ref"),
        f"SELECT case_id, ref FROM contact WHERE case_id IN ({_CLOSED})",
    ),
    Rule(
        "VISIT_NOTES",
        "retention.visit_notes",
        "走访记录",
        "Notes of visits",
        "prose",
        ("case_id", "ref"),
        """
        SELECT p.case_id, p.ref
          FROM case_file AS c
         CROSS JOIN LATERAL jsonb_each(c.data -> 'visits') AS visit
          JOIN prose AS p ON p.case_id = c.id AND p.ref = visit.value ->> 'notes'
         WHERE c.process = 'round' AND c.opened_at < :before AND jsonb_typeof(c.data -> 'visits') = 'object'
           AND (visit.value ->> 'at')::timestamptz < :before
        """,
    ),
    Rule(
        "BALLOT_TOKENS",
        "retention.ballot_tokens",
        "评议票名单",
        "Tokens of ballots",
        "ballot_token",
        ("hash",),
        f"SELECT hash FROM ballot_token WHERE case_id IN ({_CLOSED})",
    ),
    Rule(
        "EMERGENCY_TEXTS",
        "retention.emergency",
        "应急事件中的个人信息",
        "What was written in emergencies",
        "prose",
        ("case_id", "ref"),
        f"SELECT case_id, ref FROM prose WHERE case_id IN ({_CLOSED} AND process = 'emergency')",
    ),
    Rule(
        "EMERGENCY_CONTACTS",
        "retention.emergency",
        "应急事件中的联系方式",
        "Contact details in emergencies",
        "contact",
        ("case_id", "ref"),
        f"SELECT case_id, ref FROM contact WHERE case_id IN ({_CLOSED} AND process = 'emergency')",
    ),
    Rule(
        "EMERGENCY_COMMENTS",
        "retention.emergency",
        "应急事件中的留言",
        "Comments in emergencies",
        "case_comment",
        ("id",),
        f"SELECT id FROM case_comment WHERE case_id IN ({_CLOSED} AND process = 'emergency')",
    ),
    Rule(
        "LOOSE_FILES",
        "retention.loose_files",
        "未提交的附件",
        "Files that no command ever named",
        "attachment",
        ("id", "object_key"),
        "SELECT id, object_key FROM attachment WHERE case_id IS NULL AND uploaded_at < :before",
    ),
)


async def due(connection: AsyncConnection, rule: Rule, pack: Pack, now: datetime) -> int:
    """How much a rule would forget now."""
    counted: int = (
        await connection.execute(text(f"SELECT count(*) FROM ({rule.due}) AS due"), _before(rule, pack, now))
    ).scalar_one()
    return counted


async def forget(connection: AsyncConnection, rule: Rule, pack: Pack, now: datetime) -> list[Any]:
    """Forget one batch for good; gives its keys, none when nothing is left. The caller commits."""
    keys = ", ".join(rule.keys)
    batch = text(
        f"""
        DELETE FROM {rule.table} WHERE ({keys}) IN (SELECT {keys} FROM ({rule.due}) AS due LIMIT :batch)
        RETURNING {keys}
        """
    )
    done = await connection.execute(batch, {**_before(rule, pack, now), "batch": BATCH})
    return [tuple(row) for row in done]


async def note(connection: AsyncConnection, rule: Rule, count: int) -> None:
    """Write down in the book of changes that something was forgotten, and how much."""
    await connection.execute(
        text("INSERT INTO audit (actor, action, entity, key, after) VALUES (:actor, 'DELETE', :entity, :key, :after)"),
        {"actor": ACTOR, "entity": rule.table, "key": rule.code, "after": to_json({"rows": count}).decode()},
    )


def kept_days(rule: Rule, pack: Pack) -> int:
    """For how many days this is kept after its case is closed, or after it was written."""
    return round(pack.duration(rule.parameter).value)


def _before(rule: Rule, pack: Pack, now: datetime) -> dict[str, datetime]:
    return {"before": now - timedelta(days=kept_days(rule, pack))}
