"""How values become payloads of the engine: JSON by pydantic, with adapters shared by all runs of a process.

The library's converter keeps its adapters per instance, and every run of a workflow makes an instance of its own:
building them anew took a third of a worker's time.
"""

from dataclasses import is_dataclass, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, pydantic_data_converter
from temporalio.converter import CompositePayloadConverter, DefaultPayloadConverter, JSONPlainPayloadConverter


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


class SharedJson(PydanticJSONPlainPayloadConverter):
    """JSON with adapters that are built once per type and process."""

    def to_payload(self, value: Any) -> Payload | None:
        """Write our own values without the fields at their default: histories are kept, and read, for weeks."""
        if not is_dataclass(value) or isinstance(value, type):
            return super().to_payload(value)
        data = _adapter(type(value)).dump_json(value, exclude_defaults=True)
        return Payload(metadata={"encoding": self.encoding.encode()}, data=data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Build the value that a payload means."""
        return _adapter(type_hint if type_hint is not None else Any).validate_json(payload.data)


_CONVERTERS = tuple(
    SharedJson() if isinstance(one, JSONPlainPayloadConverter) else one
    for one in DefaultPayloadConverter.default_encoding_payload_converters
)


class SharedPayloads(CompositePayloadConverter):
    """The library's converters, with JSON by `SharedJson`; none of them keeps anything of a run."""

    def __init__(self) -> None:
        """Take the converters of the process; each run does so."""
        super().__init__(*_CONVERTERS)


DATA_CONVERTER = replace(pydantic_data_converter, payload_converter_class=SharedPayloads)
"""Used by every client, worker, replayer and test."""
