"""R19: somebody with the database's password changes, deletes or moves one entry of a history."""

import json
import random
from collections import Counter

import asyncpg

from tests.chaos.http import Callers
from tests.chaos.lives import Lived, live
from tests.chaos.outcome import Outcome
from tests.chaos.product import Whole, whole
from tests.chaos.repeating import people

CHANGES = ("type", "at", "actor", "role", "org", "on_behalf_of", "payload", "stamps", "hash", "prev_hash")
_VALUES = {
    "type": "'declined'",
    "at": "at - interval '1 hour'",
    "actor": "'somebody else'",
    "role": "'supervisor'",
    "org": "coalesce(org, '') || 'x'",
    "on_behalf_of": "'somebody else'",
    "payload": """payload || '{"notes": {"reason": "another"}}'""",
    "stamps": """coalesce(stamps, '[]') || '[{"number": 9}]'""",
    "hash": "sha256(hash)",
    "prev_hash": "sha256(prev_hash)",
}


async def tamper(seed: int, *, times: int = 100) -> Outcome:
    """R19 on a product of its own."""
    async with whole() as running:
        return await tamper_in(running, await people(running), seed, lives=20, times=times)


async def tamper_in(running: Whole, callers: Callers, seed: int, *, lives: int, times: int) -> Outcome:
    """R19 on the histories of some lives; each act is undone again, so that the next one is alone."""
    outcome = Outcome("R19", seed)
    rng = random.Random(seed)
    for _ in range(lives):
        await live(callers, rng, Lived(0, []))
    missed: list[str] = []
    acts: Counter[str] = Counter()
    connection = await asyncpg.connect(running.database_url)
    try:
        cases = await connection.fetch("SELECT id, version FROM case_file WHERE version > 1 ORDER BY id")
        outcome.none_of("histories that are broken before", await _broken(connection, cases))
        for number in range(times):
            case, version = rng.choice(cases)
            act = ("change", "delete", "reorder")[number % 3]
            seq = rng.randint(1, version)
            column = CHANGES[number // 3 % len(CHANGES)]
            acts[act] += 1
            undo = connection.transaction()
            await undo.start()
            # The table refuses this even to its owner, who may take both back.
            await connection.execute("GRANT UPDATE, DELETE ON event TO CURRENT_USER")
            await connection.execute("ALTER TABLE event DISABLE TRIGGER refuse_change")
            await _act(connection, act, case, seq, version, column)
            found = await connection.fetchrow("SELECT seq, why FROM verify_case($1)", case)
            await undo.rollback()
            if found is None:
                missed.append(json.dumps([act, str(case), seq, column]))
        outcome.none_of("histories that are broken afterwards", await _broken(connection, cases))
    finally:
        await connection.close()
    outcome.done = ", ".join(f"{count} × {act}" for act, count in acts.items())
    outcome.none_of("acts that the verifier did not find", missed)
    return outcome


async def _act(
    connection: "asyncpg.Connection[asyncpg.Record]", act: str, case: object, seq: int, version: int, column: str
) -> None:
    if act == "change":
        await connection.execute(
            f"UPDATE event SET {column} = {_VALUES[column]} WHERE case_id = $1 AND seq = $2", case, seq
        )
    elif act == "delete":
        await connection.execute("DELETE FROM event WHERE case_id = $1 AND seq = $2", case, seq)
    else:
        other = seq - 1 if seq == version else seq + 1
        swap = "UPDATE event SET seq = $3 WHERE case_id = $1 AND seq = $2"
        for old, new in ((seq, 1_000_000), (other, seq), (1_000_000, other)):
            await connection.execute(swap, case, old, new)


async def _broken(connection: "asyncpg.Connection[asyncpg.Record]", cases: list[asyncpg.Record]) -> list[str]:
    found = await connection.fetch(
        "SELECT c.id, v.why FROM unnest($1::uuid[]) AS c(id), LATERAL verify_case(c.id) AS v",
        [one["id"] for one in cases],
    )
    return [f"{one['id']} {one['why']}" for one in found]
