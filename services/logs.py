"""Say what happens in one stream of lines, for people and for machines, without a word about a resident."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# Fields whose content is somebody's own: whoever logs one by mistake logs that it was there, not what it was.
PRIVATE = frozenset(
    {
        "address", "authorization", "body", "contact", "database_url", "description", "detail",
        "display_name", "id_number", "name", "note", "password", "phone", "prose", "reporter", "secret",
        "text", "title", "token",
    }
)  # fmt: skip
QUIET = {
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpx": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,  # its lines carry the whole query string
    "uvicorn.error": logging.WARNING,
}


def configure_logs(*, level: str, as_json: bool | None, process: str) -> None:
    """Send every line of this process to standard output: ours, and those of the libraries.

    `as_json=None` chooses: text for a terminal, JSON for everything else. A line carries what was bound with
    `structlog.contextvars.bind_contextvars` (the request id, the case id) and the name of the `process`.
    """
    as_json = not sys.stdout.isatty() if as_json is None else as_json
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _name_process(process),
        hide_private,
    ]
    # Tracebacks without the local variables: those hold what people wrote.
    last: list[structlog.types.Processor] = [
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
    ]
    if as_json:
        without_locals = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [
            structlog.processors.ExceptionRenderer(without_locals),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def hide_private(logger: object, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace the content of private fields, however deep they lie."""
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: object) -> object:
    if name.lower() in PRIVATE and value is not None:
        return "…"
    if isinstance(value, Mapping):
        return {key: _hidden(str(key), inner) for key, inner in value.items()}
    return value


def _name_process(process: str) -> structlog.types.Processor:
    def add(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return add
