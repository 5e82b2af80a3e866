"""Where a page is found."""

from dataclasses import dataclass

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
        return Route(self.path, page(house, self.handler, signed_in=self.signed_in), methods=list(self.methods))
