"""A map of grids without a map (网格示意图): the outlines that the tree keeps, or tiles where it keeps none.

Nothing is fetched from anywhere: a street is known to those who work in it by its grids.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, cos, radians, sqrt
from typing import Any

WIDTH = 600.0
MARGIN = 12.0
TILE = 100.0
TALLEST = 1.4
"""Most that a picture is taller than wide, so that a phone shows it whole."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """How degrees become units of the picture: x = (lon - west) * across, y = (north - lat) * down."""

    west: float
    north: float
    across: float
    down: float
    height: float

    def at(self, lon: float, lat: float) -> Point:
        """Where a point lies in the picture."""
        return MARGIN + (lon - self.west) * self.across, MARGIN + (self.north - lat) * self.down


@dataclass(frozen=True, slots=True)
class Shape:
    """A grid in the picture: its outline, and where its name stands."""

    code: str
    name: str
    community: str
    outline: tuple[Point, ...]
    middle: Point
    centre: Point | None = None
    """The middle in degrees, longitude first; None for a tile, which lies nowhere."""

    @property
    def path(self) -> str:
        """The outline as SVG wants it."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.outline)


@dataclass(frozen=True, slots=True)
class Sketch:
    """The picture; `frame` is None where the grids have no outlines and are tiles."""

    shapes: tuple[Shape, ...]
    frame: Frame | None
    height: float

    def at(self, location: Mapping[str, Any] | None) -> Point | None:
        """Where something with a latitude and a longitude lies; None outside of the picture."""
        if self.frame is None or not isinstance(location, Mapping):
            return None
        try:
            x, y = self.frame.at(float(location["lon"]), float(location["lat"]))
        except (KeyError, TypeError, ValueError):
            return None
        return (x, y) if 0 <= x <= WIDTH and 0 <= y <= self.height else None


def sketch(units: Sequence[Mapping[str, Any]]) -> Sketch:
    """Draw the spatial units of the API; those without an outline are left out unless none has one."""
    outlined = [(unit, ring) for unit in units if (ring := outline_of(unit.get("geometry"))) is not None]
    return _drawn(outlined) if outlined else _tiles(units)


def outline_of(geometry: Any) -> tuple[Point, ...] | None:
    """The outer ring of a GeoJSON polygon, or of the first of several; None for anything else."""
    if not isinstance(geometry, Mapping):
        return None
    rings: Any = geometry.get("coordinates")
    if geometry.get("type") == "MultiPolygon" and rings:
        rings = rings[0]
    elif geometry.get("type") != "Polygon":
        return None
    try:
        ring = tuple((float(point[0]), float(point[1])) for point in rings[0])
    except (IndexError, TypeError, ValueError):
        return None
    return ring if len(ring) > 2 else None


def _drawn(outlined: Sequence[tuple[Mapping[str, Any], tuple[Point, ...]]]) -> Sketch:
    every = [point for _, ring in outlined for point in ring]
    west, east = min(x for x, _ in every), max(x for x, _ in every)
    south, north = min(y for _, y in every), max(y for _, y in every)
    # A degree of longitude is shorter than one of latitude.
    squeeze = cos(radians((south + north) / 2))
    wide, high = max((east - west) * squeeze, 1e-9), max(north - south, 1e-9)
    down = (WIDTH - 2 * MARGIN) * min(1 / wide, TALLEST / high)
    height = high * down + 2 * MARGIN
    frame = Frame(west, north, down * squeeze, down, height)
    shapes = []
    for unit, ring in outlined:
        points = tuple(frame.at(lon, lat) for lon, lat in ring)
        lon, lat = _middle(ring)
        shapes.append(Shape(unit["code"], unit["name"], unit["community_code"], points, frame.at(lon, lat), (lon, lat)))
    return Sketch(tuple(shapes), frame, height)


def _middle(ring: Sequence[Point]) -> Point:
    """The middle of the corners; the last one repeats the first."""
    corners = ring[:-1] if ring[0] == ring[-1] else ring
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


def _tiles(units: Sequence[Mapping[str, Any]]) -> Sketch:
    across = max(1, min(6, ceil(sqrt(len(units)))))
    side = (WIDTH - 2 * MARGIN) / across
    rows = ceil(len(units) / across)
    return Sketch(tuple(_tile_shapes(units, across, side)), None, rows * TILE + 2 * MARGIN)


def _tile_shapes(units: Sequence[Mapping[str, Any]], across: int, side: float) -> Iterator[Shape]:
    for place, unit in enumerate(units):
        x, y = MARGIN + place % across * side, MARGIN + place // across * TILE
        corners = ((x, y), (x + side, y), (x + side, y + TILE), (x, y + TILE))
        yield Shape(unit["code"], unit["name"], unit["community_code"], corners, (x + side / 2, y + TILE / 2))
