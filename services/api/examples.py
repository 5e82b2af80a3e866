"""Give an example body for every command, from the fields that it has."""

from collections.abc import Mapping
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from services.api.forms import Form, Shape, Spot
from workflows.kernel.fields import Attachment, CaseRef, Category, Community, Organization, Person

CASE = "0196f0a2-7c1e-7b6a-9d53-2f4e8a1b3c5d"
DAY = "2026-12-31"

WORDS: Mapping[str, Any] = {
    "title": "楼道堆放纸箱",
    "description": "二楼到三楼的楼道长期堆放纸箱，影响通行，也有火灾隐患。",
    "place_text": "三号楼二单元楼道",
    "reason": "与实际情况不符，需要重新确定。",
    "text": "楼道已清理干净，并与住户约定不再堆放。",
    "note": "已电话联系反映人，说明受理情况。",
    "info": "请补充具体位置和照片。",
    "channel": "NOTICE_BOARD",
    "party": "一楼住户代表",
    "position": "同意加装，但要保证采光。",
    "need": "希望调整井道位置。",
    "measures": "更换老化线缆，整理架空线路。",
    "survey_note": "已实地查看，涉及两个单元。",
    "feasibility": "资金和施工条件具备。",
    "explanation": "不属于社区职责，已告知向有关部门反映。",
    "document_no": "安街办〔2026〕12号",
    "milestone": "1",
    "funding_source": "社区为民服务资金",
    "audience": "PUBLIC",
    "source": "RESIDENT",
    "name": "王某",
    "phone": "13800000000",
    "lat": 36.06,
    "lon": 103.83,
    "members": 9,
    "in_favour": 6,
    "against": 2,
    "satisfaction": 5,
    "budget": 20000.0,
    "mode": "TIME_LIMITED",
    "clock_class": "SIMPLE",
    "month": "2026-03",
}
SELDOM = frozenset({"exception_reason", "external_id", "item", "inherited", "hidden_from_lead", "anonymous"})


def example(form: Form) -> dict[str, Any]:
    """Give a body with every required field and the optional ones that people use most."""
    return _shape(form.shape)


def _shape(shape: Shape) -> dict[str, Any]:
    hints = get_type_hints(shape.kind, include_extras=True)
    body: dict[str, Any] = {}
    for spot in shape.spots:
        field = shape.model.model_fields["f_" + spot.name]
        if spot.name in SELDOM or (not field.is_required() and not _is_usual(spot)):
            continue
        body[spot.wire] = _value(spot, hints[spot.name])
    return body


def _is_usual(spot: Spot) -> bool:
    return spot.name in WORDS or isinstance(spot.marker, Organization | Category)


def _value(spot: Spot, hint: Any) -> Any:
    if get_origin(hint) is Annotated:
        return _value(spot, get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return _value(spot, next(part for part in get_args(hint) if part is not type(None)))
    if get_origin(hint) is tuple:
        return [_value(spot, get_args(hint)[0])] * max(1, spot.marker.shortest)
    if get_origin(hint) is Literal:
        choices: tuple[Any, ...] = get_args(hint)
        return WORDS[spot.name] if WORDS.get(spot.name) in choices else choices[0]
    if isinstance(hint, type) and issubclass(hint, Enum):
        values = [one.value for one in hint]
        return WORDS[spot.name] if WORDS.get(spot.name) in values else values[0]
    if spot.inner is not None:
        return _shape(spot.inner)
    return _plain(spot, hint)


def _plain(spot: Spot, hint: Any) -> Any:
    named = {
        Organization: "property-1",
        Community: "620199001001",
        Person: "worker1",
        Category: "A02",
        Attachment: CASE,
        CaseRef: CASE,
    }
    for kind, value in named.items():
        if isinstance(spot.marker, kind):
            return value
    if spot.name in WORDS:
        return WORDS[spot.name]
    simple = {bool: True, int: int(spot.marker.least or 1), float: float(spot.marker.least or 1)}
    if hint in simple:
        return simple[hint]
    if getattr(hint, "__name__", "") == "datetime":
        return f"{DAY}T09:00:00+08:00"
    return DAY if getattr(hint, "__name__", "") == "date" else "示例"
