"""The smallest workflow: whoever wants to know whether work is carried out has this one carried out."""

from temporalio import workflow


@workflow.defn(name="ping")
class Ping:
    """Answer at once with what was sent."""

    @workflow.run
    async def run(self, word: str) -> str:
        """Give the word back."""
        return word
