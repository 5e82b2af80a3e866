"""A permit lives for years: renewed and rolled over year after year it goes on as the same case, and then ends."""

from tests.replay.lives import YEARS, is_renewed, years
from tests.replay.stage import Life, stage


async def test_a_permit_of_years_goes_on_after_every_roll_over() -> None:
    life = Life("years", years(), "a", rolls=is_renewed)
    assert life.case.position == "CLOSED:EXPIRED"

    async with stage(life.street) as on_stage:
        case = await on_stage.play(life)

        # The approval and each renewal began a new run.
        assert len(on_stage.runs) == YEARS + 2
        assert len(case.data.terms) == YEARS + 1
        assert sorted(case.data.handed_over) == sorted(life.case.data.handed_over)
        assert [row["type"] for row in on_stage.ledger.books[case.id].events] == [one.type for one in life.events]
