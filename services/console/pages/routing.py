"""Where a page is found."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.console.visit import House, Page, page


@dataclass(frozen=True, slots=True)
class At:
    """An address, what answers there, and whether one must be signed in."""

    path: str
    handler: Page
    methods: tuple[str, ...] = ("GET",)
    signed_in: bool = True

    def route(self, house: House) -> Route:
        """The route of this page."""
        answered = page(house, self.handler, signed_in=self.signed_in)

        async def tidied(request: Request) -> Response:
            try:
                return await answered(request)
            finally:
                # Files that came with a form are there for as long as it is worked on.
                await request.close()

        return Route(self.path, tidied, methods=list(self.methods))
