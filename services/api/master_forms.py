"""What may be filled in for each kind of master data: the schemas of its bodies, for forms that know none of them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from services.api import people, tree
from services.api.deps import ActorDep, LanguageDep
from services.api.limits import TimedRoute
from services.texts.catalogue import catalogue

FORMS: Mapping[str, tuple[type[BaseModel], type[BaseModel]]] = {
    **{one.path: (one.new, one.change) for one in tree.RESOURCES},
    "members": (tree.NewMember, tree.MemberChange),
    "roles": (tree.NewRole, tree.RoleChange),
    "substitutions": (tree.NewSubstitution, tree.SubstitutionChange),
    "people": (people.NewPerson, people.PersonChange),
    "accounts": (people.NewAccount, people.AccountChange),
}
"""The bodies by which each kind is added and changed."""
KINDS = {
    "org_code": "organization",
    "community_code": "community",
    "home_community_code": "community",
    "person": "person",
    "absent": "person",
    "substitute": "person",
    "responsible": "person",
}
"""Fields that hold a code of something that can be looked up by name."""
UNASKED = ("geometry",)
"""Drawn on a map, not typed."""


def master_form_router() -> APIRouter:
    """Give `/tree/forms`."""
    router = APIRouter(prefix="/tree", tags=["tree"], route_class=TimedRoute)

    @router.get("/forms", operation_id="tree_forms", summary="基础数据的字段 / fields of master data")
    async def forms(actor: ActorDep, language: LanguageDep) -> dict[str, dict[str, dict[str, Any]]]:
        return _forms(language)

    return router


@cache
def _forms(language: str) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        path: {"new": _schema(new, language), "change": _schema(change, language)}
        for path, (new, change) in FORMS.items()
    }


def _schema(model: type[BaseModel], language: str) -> dict[str, Any]:
    schema = model.model_json_schema()
    properties = {name: part for name, part in schema["properties"].items() if name not in UNASKED}
    for name, part in properties.items():
        part["title"] = catalogue().say("master", name, language)
        if name in KINDS:
            part["x-kind"] = KINDS[name]
    return {**schema, "properties": properties}
