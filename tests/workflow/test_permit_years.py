"""A permit lives for years: renewed and rolled over year after year it goes on as the same case, and then ends."""

from tests.replay.admissions import YEARS, is_renewed, stage, years


async def test_a_permit_of_years_goes_on_after_every_roll_over() -> None:
    town = years()
    simulated = town.street.cases["a"]
    assert simulated.position == "CLOSED:EXPIRED"

    async with stage() as on_stage:
        case = (await on_stage.play({"years": town}, rolls=is_renewed))["years"]

        # The approval and each renewal began a new run.
        assert await on_stage.runs(case.id) == YEARS + 2
        assert len(case.data.terms) == YEARS + 1
        assert sorted(case.data.handed_over) == sorted(simulated.data.handed_over)
        assert [row["type"] for row in on_stage.ledger.books[case.id].events] == town.types("a")
