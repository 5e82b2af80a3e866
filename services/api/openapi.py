"""Describe the API as OpenAPI 3.1: the body and an example of every command, the problem of every error."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from services.api.actions import forms, opening
from services.api.attachments import ENDINGS
from services.api.comments import ChangedComment, NewComment
from services.api.errors import MEDIA_TYPE, STATUS
from services.api.examples import example
from services.api.notifications import NewChannel
from services.api.objections import Objecting
from services.api.public import Rating
from services.api.tables import FORMATS
from services.texts.catalogue import catalogue
from workflows.kernel.fields import Contact
from workflows.kernel.process import Process

JSON = "application/json"
SCHEMAS = "#/components/schemas/"
FORMLESS = (JSON, "text/event-stream")
PRIVACY = (
    "填写联系方式前请告知本人收集目的与保存期限(`GET /public/privacy`)。\n\n"
    "Whoever gives his name or phone is told before what for and for how long: `GET /public/privacy`."
)
OPEN_TAGS = frozenset({"health", "public"})
OPEN_PATHS = ("/metrics", "/auth/token")
CONTENT_SECURITY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"

BODY_EXAMPLES = {
    "Rating": {"satisfaction": 5, "solved": "YES"},
    "Payloads": {"payloads": []},
    "Objecting": {"name": "王某", "contact": "见来信", "ground": "人选不符合条件"},
    "NewComment": {"text": "请物业今天到场查看", "internal": True},
    "ChangedComment": {"text": "请物业明天上午到场查看"},
    "NewChannel": {"url": "mailto:name@example.org", "quiet_from": "21:00", "quiet_until": "07:30"},
}

Json = dict[str, Any]

_moment = {"type": ["string", "null"], "format": "date-time"}
_text = {"type": ["string", "null"]}


def install(app: FastAPI, processes: Sequence[Process[Any]]) -> None:
    """Serve `/openapi.json` and the pages of `/docs`, at the root and beside the API."""
    plain = app.openapi

    def described() -> Json:
        if app.openapi_schema is None:
            _describe(plain(), processes)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's own way of extending it
    router = APIRouter(include_in_schema=False)

    async def document() -> JSONResponse:
        return JSONResponse(app.openapi())

    async def page() -> Response:
        return _file("docs.html", "text/html")

    async def script() -> Response:
        return _file("docs.js", "text/javascript")

    async def style() -> Response:
        return _file("docs.css", "text/css")

    for prefix in ("", "/api/v1"):
        router.add_api_route(f"{prefix}/openapi.json", document)
        router.add_api_route(f"{prefix}/docs", page)
        router.add_api_route(f"{prefix}/docs.js", script)
        router.add_api_route(f"{prefix}/docs.css", style)
    app.include_router(router)


def _file(name: str, media_type: str) -> Response:
    body = files("services.api").joinpath(name).read_bytes()
    return Response(body, headers={"Content-Security-Policy": CONTENT_SECURITY}, media_type=media_type)


def _describe(document: Json, processes: Sequence[Process[Any]]) -> None:
    by_name = {process.name: process for process in processes}
    document["info"]["description"] = (
        "居民诉求与社区议事流程接口。时间为带时区的 RFC 3339，业务日期为北京时间的日期。\n\n"
        "Durable workflows for community self-governance. Times are RFC 3339 with offset, business dates are Beijing's."
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_schemas(processes))
    document["components"]["responses"] = _problems()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation, by_name)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _schemas(processes: Sequence[Process[Any]]) -> Json:
    found: Json = {
        "Problem": _problem_schema(),
        "Rating": Rating.model_json_schema(),
        "Objecting": Objecting.model_json_schema(),
        "Payloads": _payloads_schema(),
        "NewChannel": NewChannel.model_json_schema(),
        "NewComment": NewComment.model_json_schema(),
        "ChangedComment": ChangedComment.model_json_schema(),
    }
    for process in processes:
        data = TypeAdapter(process.data).json_schema(
            mode="serialization", ref_template=f"{SCHEMAS}{process.name}.{{model}}"
        )
        found.update({f"{process.name}.{name}": schema for name, schema in data.pop("$defs", {}).items()})
        found[f"{process.name}.data"] = {
            **data,
            "description": "事项数据；文字已还原，联系方式另行查阅 / texts in clear, contact details apart",
        }
        found[f"{process.name}.case"] = _case_schema(process)
        for form in (opening(process), *forms(process).values()):
            found[f"{process.name}.{form.name}"] = form.schema("zh")
    found["Event"] = _event_schema()
    found["Clock"] = _clock_schema()
    found["Action"] = _action_schema()
    return found


def _complete(path: str, method: str, operation: Json, processes: Mapping[str, Process[Any]]) -> None:
    """Fill in what FastAPI cannot know: bodies, answers, and which problems there can be."""
    name, form_name = operation.pop("x-process", None), operation.pop("x-form", None)
    answer, body = operation.pop("x-answer", None), operation.pop("x-body", None)
    upload = operation.pop("x-upload", None)
    responses = operation["responses"]
    responses.pop("422", None)
    if form_name is not None:
        process = processes[name]
        form = opening(process) if form_name == opening(process).name else forms(process)[form_name]
        operation["requestBody"] = {
            "required": any(field.is_required() for field in form.model.model_fields.values()),
            "content": {JSON: {"schema": {"$ref": f"{SCHEMAS}{name}.{form_name}"}, "example": example(form)}},
        }
        if any(isinstance(spot.marker, Contact) for spot in form.shape.spots):
            operation["description"] = "\n\n".join(filter(None, (operation.get("description"), PRIVACY)))
        for status in [status for status in responses if status.startswith("2")]:
            responses[status] = _case_answer(name, status)
        if "201" in responses:
            responses["200"] = _case_answer(name, "200")
    if body is not None:
        content = {"schema": {"$ref": SCHEMAS + body}, "example": BODY_EXAMPLES[body]}
        operation["requestBody"] = {"required": True, "content": {JSON: content}}
    if upload is not None:
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _upload(upload)}}}
    if answer is not None:
        singular = next((one.name for one in processes.values() if path.startswith(f"/api/v1/{one.plural}")), "")
        responses["200"] = _answer(answer, singular)
    for status in _statuses(path, method, operation):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}


def _statuses(path: str, method: str, operation: Json) -> list[int]:
    tags = set(operation.get("tags", ()))
    if "health" in tags:
        return []
    is_open = bool(tags & OPEN_TAGS) or path.endswith(OPEN_PATHS)
    found = [500, 503]
    found += [] if is_open else [401, 403]
    found += [404] if "{" in path else []
    found += [422] if operation.get("parameters") or "requestBody" in operation else []
    if method == "post":
        found += [400, 408, 413, 415] if not path.endswith("/auth/token") else [401]
    if "/commands/" in path or path.endswith("/rating") or (method == "post" and "/{" not in path and not is_open):
        found += [409]
    if path.endswith("/auth/token") or "/public/issues" in path or "requestBody" in operation:
        found += [429]
    return sorted(set(found))


def _problems() -> Json:
    words = catalogue()
    codes: dict[int, list[str]] = {}
    for code, status in STATUS.items():
        codes.setdefault(status, []).append(code)
    return {
        str(status): {
            "description": "; ".join(
                f"`{code}`: {words.say('code', code, 'zh')} / {words.say('code', code, 'en')}" for code in named
            ),
            "headers": {"Retry-After": {"schema": {"type": "integer"}}} if status in (429, 503) else {},
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": SCHEMAS + "Problem"},
                    "example": {
                        "type": f"urn:shangliang:problem:{named[0]}",
                        "title": words.say("code", named[0], "zh"),
                        "status": status,
                        "detail": words.say("detail", named[0], "zh", count=1, limit="1 MB", choices=JSON),
                        "code": named[0],
                        "errors": [],
                    },
                }
            },
        }
        for status, named in codes.items()
    }


def _payloads_schema() -> Json:
    """What the pages of the engine send to be opened."""
    payload = {
        "metadata": {"type": "object", "additionalProperties": {"type": "string", "contentEncoding": "base64"}},
        "data": {"type": "string", "contentEncoding": "base64"},
    }
    listed = {"type": "array", "items": {"type": "object", "properties": payload}}
    return {"type": "object", "properties": {"payloads": listed}}


def _problem_schema() -> Json:
    fault = {"field": {"type": "string"}, "message": {"type": "string"}}
    return {
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "detail", "code", "errors"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "enum": list(STATUS)},
            "reason": {"type": "string", "description": "规则 / the rule that does not hold"},
            "clause": {"type": "string", "description": "依据 / its source"},
            "errors": {
                "type": "array",
                "items": {"type": "object", "required": ["field", "message"], "properties": fault},
            },
            "request_id": {"type": "string"},
        },
    }


def _case_schema(process: Process[Any]) -> Json:
    states = sorted({state.name.partition(":")[0] for state in process.states})
    properties: Json = {
        "id": {"type": "string", "format": "uuid"},
        "number": {"type": "string"},
        "process": {"const": process.name},
        "state": {"type": "string", "enum": states},
        "step": {"type": "string"},
        "title": _text,
        "version": {"type": "integer", "minimum": 1},
        "community_id": {"type": "string"},
        "level": {"type": "string"},
        "created_at": _moment,
        "updated_at": _moment,
        "closed_at": _moment,
        "policy": {
            "type": "object",
            "properties": {"pack": {"type": "string"}, "version": {"type": "integer"}},
            "required": ["pack", "version"],
        },
        "next_due_at": _moment,
        "color": {"type": "string", "enum": ["NONE", "BLUE", "YELLOW", "RED"]},
        "data": {
            "type": "object",
            "description": f"见 / see `{process.name}.data`，另有 `phase`、`check_code`（提交人和工作人员可见）",
        },
    }
    return {"type": "object", "title": process.zh, "properties": properties, "required": list(properties)}


def _event_schema() -> Json:
    properties: Json = {
        "seq": {"type": "integer"},
        "type": {"type": "string"},
        "actor": _text,
        "acting_role": {"type": "string"},
        "acting_org": _text,
        "on_behalf_of": _text,
        "occurred_at": _moment,
        "recorded_at": _moment,
        "payload": {"type": "object"},
        "hash": {"type": "string"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _clock_schema() -> Json:
    rule: Json = {
        "parameter": {"type": "string"},
        "value": {"type": ["number", "string"]},
        "unit": {"type": "string"},
        "clause": {"type": "string"},
        "strength": {"type": "string"},
        "days_skipped": {"type": "array", "items": {"type": "object"}},
        "pauses": {"type": "array", "items": {"type": "object"}},
    }
    properties: Json = {
        "code": {"type": "string"},
        "title": {"type": "string"},
        "state": {"type": "string"},
        "color": {"type": "string"},
        "started_at": _moment,
        "due_at": _moment,
        "original_due_at": _moment,
        "closed_at": _moment,
        "owner": {"type": "string"},
        "rule": {"type": "object", "properties": rule, "required": list(rule)},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _action_schema() -> Json:
    properties: Json = {
        "command": {"type": "string"},
        "title": {"type": "string"},
        "fields": {"type": "object", "description": "JSON Schema"},
        "due_at": _moment,
        "owed": {"type": "boolean"},
        "why_not": {"type": "object", "description": "缺少的条件 / what is missing; absent when it may be done"},
    }
    return {"type": "object", "properties": properties, "required": ["command", "title", "fields", "due_at"]}


def _case_answer(name: str, status: str) -> Json:
    described = "事项 / the case"
    if status == "201":
        described = "新事项 / a new case"
    headers: Json = {"ETag": {"schema": {"type": "string"}, "description": "版本 / version"}}
    if status == "201":
        headers["Location"] = {"schema": {"type": "string"}}
    content = {JSON: {"schema": {"$ref": f"{SCHEMAS}{name}.case"}}}
    return {"description": described, "headers": headers, "content": content}


def _answer(kind: str, name: str) -> Json:
    def many(schema: str, *, paged: bool) -> Json:
        properties: Json = {"items": {"type": "array", "items": {"$ref": SCHEMAS + schema}}}
        if paged:
            properties["next_cursor"] = _text
        return {"type": "object", "properties": properties, "required": list(properties)}

    schemas: Json = {
        "list": many(f"{name}.case", paged=True),
        "events": many("Event", paged=False),
        "clocks": {"type": "array", "items": {"$ref": SCHEMAS + "Clock"}},
        "actions": {"type": "array", "items": {"$ref": SCHEMAS + "Action"}},
    }
    if kind == "case":
        return _case_answer(name, "200")
    if kind in schemas:
        return {"description": "OK", "content": {JSON: {"schema": schemas[kind]}}}
    types = {
        "opening": (JSON,),
        "form": (JSON,),
        "attachments": (JSON,),
        "people": (JSON,),
        "diagram": ("application/xml",),
        "bytes": tuple(ENDINGS),
        "text": ("text/plain",),
        "paper": ("application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        "calendar": ("text/calendar",),
        "stream": ("text/event-stream",),
        "table": (JSON, *FORMATS),
    }
    return {
        "description": "OK",
        "content": {one: {"schema": {} if one in FORMLESS else {"type": "string"}} for one in types[kind]},
    }


def _upload(kinds: Sequence[str]) -> Json:
    """A file, and of which kind it is where there are several."""
    properties: Json = {"file": {"type": "string", "contentMediaType": "application/octet-stream"}}
    if kinds:
        properties["kind"] = {"type": "string", "enum": list(kinds)}
    return {"type": "object", "required": list(properties), "properties": properties}
