"""May this be asked of this community today (准入核查)? One statement for one item or a thousand.

What is on the two lists, or has a permit in force here, may be asked; everything else may be refused
(seed 004 §二(三)1,2). Names are compared by their words, without spaces, signs and widths.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.lists import NEAR

IN_FORCE = ("ACTIVE", "RENEWAL_REVIEW", "RECTIFYING", "REVOCATION_PROPOSED", "ACTIVE_PROVISIONAL")
"""States of an admission in which its permit holds, or in which work may go on before it is decided."""
COUNTY_DIGITS = 6
NEAR_ONES = 3

CHECK = text("""
WITH asked AS MATERIALIZED (
    SELECT n, item_words(name) AS words, bigrams(item_words(name)) AS grams
      FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS given(name, n)
), force AS MATERIALIZED (
    SELECT DISTINCT ON (list_type) id, list_type, version
      FROM duty_list
     WHERE county = :county AND effective_from <= :day AND list_type IN ('LIST_A', 'LIST_B', 'NEGATIVE')
     ORDER BY list_type, version DESC
), entry AS MATERIALIZED (
    SELECT item.*, force.list_type, force.version FROM force JOIN duty_item AS item ON item.list_id = force.id
), permit AS MATERIALIZED (
    SELECT admission.id, admission.data ->> 'permit_no' AS permit_no, admission.state,
           item_words(said.value #>> '{}') AS words,
           coalesce(admission.data -> 'stopped' ? CAST(:community AS text), false) AS stopped
      FROM case_file AS admission
      JOIN prose AS said ON said.case_id = admission.id AND said.ref = admission.data ->> 'item_name'
     WHERE admission.process = 'admission' AND admission.places @> ARRAY[CAST(:community AS text)]
       -- One that is still in mediation knows of the case, but has agreed to nothing.
       AND admission.data -> 'communities' ? CAST(:community AS text)
       AND (admission.state = ANY (:states)
            OR admission.data ->> 'provisional' = 'true' AND admission.closed_at IS NULL)
       AND (CAST(:department AS text) IS NULL OR admission.data ->> 'applicant_org' = :department)
)
SELECT asked.n, listed.list_type, listed.version, listed.item_code, listed.name, listed.legal_basis,
       listed.lead_department, listed.funding_note, held.id AS admission, held.permit_no,
       held.stopped, coalesce(alike.ones, '[]') AS near
  FROM asked
  LEFT JOIN LATERAL (
      SELECT * FROM entry WHERE entry.words = asked.words AND asked.words <> '' ORDER BY list_type LIMIT 1
  ) AS listed ON true
  LEFT JOIN LATERAL (
      SELECT * FROM permit WHERE permit.words = asked.words AND asked.words <> '' ORDER BY stopped, permit_no LIMIT 1
  ) AS held ON true
  LEFT JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object('list_type', list_type, 'version', version, 'item_code', item_code,
                                          'name', name, 'likeness', round(dice, 2)) ORDER BY dice DESC) AS ones
        FROM (SELECT entry.*, dice
                FROM entry, LATERAL (
                    SELECT 2.0 * count(*) / greatest(cardinality(entry.grams) + cardinality(asked.grams), 1) AS dice
                      FROM unnest(entry.grams) AS pair WHERE pair = ANY (asked.grams)) AS likeness
               WHERE listed.item_code IS NULL AND held.id IS NULL AND entry.grams && asked.grams AND dice >= :near
               ORDER BY dice DESC LIMIT :most) AS nearest
  ) AS alike ON true
 ORDER BY asked.n
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Whether one item may be asked of a community, and why.

    `because` is `PERMIT`, `LIST_A`, `LIST_B`, `PERFORMANCE_SUSPENDED`, `NEGATIVE_LIST` or `NOT_ADMITTED`; `near` are
    entries of the lists whose words are alike, for somebody to look at.
    """

    allowed: bool
    because: str
    permit_no: str | None = None
    admission: str | None = None
    list_item: dict[str, Any] | None = None
    near: list[dict[str, Any]] = field(default_factory=list)


async def coverage(
    connection: AsyncConnection, community: str, names: Sequence[str], on: date, *, department: str | None = None
) -> list[Coverage]:
    """Answer for every item, in order; with a department only its own permits count."""
    asked = {
        "names": list(names),
        "community": community,
        "county": community[:COUNTY_DIGITS],
        "day": on,
        "department": department,
        "states": list(IN_FORCE),
        "near": NEAR,
        "most": NEAR_ONES,
    }
    return [_coverage(row) for row in (await connection.execute(CHECK, asked)).mappings()]


def _coverage(row: Any) -> Coverage:
    listed = row["list_type"]
    names = ("list_type", "version", "item_code", "name", "legal_basis", "lead_department", "funding_note")
    item = {name: row[name] for name in names} if listed else None
    if row["admission"] is not None and not row["stopped"]:
        return Coverage(
            allowed=True, because="PERMIT", permit_no=row["permit_no"], admission=str(row["admission"]), list_item=item
        )
    if listed in ("LIST_A", "LIST_B"):
        return Coverage(allowed=True, because=listed, list_item=item)
    if row["stopped"]:
        return Coverage(
            allowed=False,
            because="PERFORMANCE_SUSPENDED",
            permit_no=row["permit_no"],
            admission=str(row["admission"]),
        )
    if listed:
        return Coverage(allowed=False, because="NEGATIVE_LIST", list_item=item)
    return Coverage(allowed=False, because="NOT_ADMITTED", near=list(row["near"]))
