"""Put the routes of all routers on one flat shelf of the app.

Hundreds of commands have a route each. Routers inside routers would be asked one after the other, each with the work
of putting its prefixes together anew: milliseconds for each request.
"""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import compile_path

from services.api.limits import TimedRoute


def shelve(app: FastAPI, prefix: str, routers: Iterable[APIRouter]) -> None:
    """Take over the routes below a prefix, in their order; the first that fits an address has it."""
    for router in routers:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                raise TypeError(f"{route!r}: a router that is shelved holds routes only")
            route.path = prefix + route.path
            route.path_regex, route.path_format, route.param_convertors = compile_path(route.path)
            if isinstance(route, TimedRoute):
                route.know_its_ends()
            app.router.routes.append(route)
