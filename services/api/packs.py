"""Policy packs to read (政策包): every value with its clause and strength, and what two packs decide differently.

The rules that a city works by are no secret: whoever has signed in may read them.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from services.api.deps import ActorDep, DeskDep, LanguageDep
from services.api.errors import NotFound
from services.api.limits import TimedRoute
from workflows.policy.comparing import changed, changed_categories, origin
from workflows.policy.keys import KEYS
from workflows.policy.pack import Category, Pack
from workflows.policy.packs import every, load

Name = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}(@[0-9]{1,6})?$")]


def pack_router() -> APIRouter:
    """Give `/packs`."""
    router = APIRouter(prefix="/packs", tags=["packs"], route_class=TimedRoute)

    @router.get("", operation_id="packs", summary="政策包 / policy packs, older versions beside the newest")
    async def packs(actor: ActorDep, desk: DeskDep, language: LanguageDep) -> dict[str, Any]:
        return {"items": [_head(name, language) for name in every()], "current": desk.pack.pack}

    @router.get("/{name}", operation_id="pack", summary="一个政策包的全部规定 / everything that a pack says")
    async def pack(name: Name, actor: ActorDep, language: LanguageDep) -> dict[str, Any]:
        found = _pack(name)
        keys = [key for key in KEYS if key in found.parameters]
        return {
            **_head(name, language),
            "parameters": [
                {"key": key, "title": _title(key, language), **_said(found, key), "from": origin(found, key)}
                for key in keys
            ],
            "categories": [_category(found.categories[code], language) for code in sorted(found.categories)],
            "pins": dict(found.pins),
        }

    @router.get("/{name}/diff/{other}", operation_id="pack_diff", summary="两个政策包的差别 / what two packs differ in")
    async def diff(name: Name, other: Name, actor: ActorDep, language: LanguageDep) -> dict[str, Any]:
        before, after = _pack(name), _pack(other)
        return {
            "before": _head(name, language),
            "after": _head(other, language),
            "parameters": [
                {
                    "key": key,
                    "title": _title(key, language),
                    "before": _said(before, key) if key in before.parameters else None,
                    "after": _said(after, key) if key in after.parameters else None,
                }
                for key in changed(before, after)
            ],
            "categories": [
                {
                    "code": code,
                    "before": _category(before.categories[code], language) if code in before.categories else None,
                    "after": _category(after.categories[code], language) if code in after.categories else None,
                }
                for code in changed_categories(before, after)
            ],
            "scale": before.scale != after.scale,
        }

    return router


def _pack(name: str) -> Pack:
    if name not in every():
        raise NotFound
    return load(name)


def _head(name: str, language: str) -> dict[str, Any]:
    pack = load(name)
    return {
        "name": name,
        "pack": pack.pack,
        "version": pack.version,
        "title": pack.title_en if language == "en" else pack.title,
        "extends": pack.extends,
        "sha": pack.sha,
        "seed": pack.seed,
        "scaled": pack.scale is not None,
    }


def _title(key: str, language: str) -> str:
    known = KEYS.get(key)
    return "" if known is None else known.en if language == "en" else known.zh


def _said(pack: Pack, key: str) -> dict[str, Any]:
    one = pack.parameters[key]
    return {
        "value": list(one.value) if isinstance(one.value, tuple) else one.value,
        "unit": one.unit.value if one.unit else None,
        "rolls": one.roll,
        "strength": one.strength.value,
        "clause": one.clause or None,
        "basis": one.basis or None,
    }


def _category(one: Category, language: str) -> dict[str, Any]:
    return {
        "code": one.code,
        "title": one.title_en if language == "en" else one.title,
        "mode": one.mode,
        "clock_class": one.clock_class,
        "danger": one.danger,
        "personal": one.personal,
        "clause": one.clause or one.basis or None,
    }
