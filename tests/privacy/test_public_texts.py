"""What everybody may read is refused with a phone, an identity or a room number in it, whichever process it is of."""

from typing import Any

import pytest
from pydantic_core import to_json

from services.api.actions import forms, opening
from services.api.door import check_masked, read
from services.api.examples import example
from services.api.forms import Form
from workflows.kernel.fields import Prose
from workflows.kernel.process import GuardFailed, Process
from workflows.registry import PROCESSES

LEAKS = {
    "请联系王先生 13800001234 办理": "PHONE",
    "身份证号 620102199003071234 已核实": "ID",
    "住在3号楼2单元501室的住户": "ROOM",
}


def published() -> list[tuple[Process[Any], Form, str]]:
    """Every field of every form that everybody may read."""
    found = []
    for process in {one.name: one for one in PROCESSES.values()}.values():
        for form in {one.name: one for one in (opening(process), *forms(process).values())}.values():
            for spot in form.shape.spots:
                if isinstance(spot.marker, Prose) and spot.marker.public:
                    found.append((process, form, spot.wire))
    return found


@pytest.mark.parametrize(
    ("process", "form", "wire"), published(), ids=[f"{form.name}.{wire}" for _, form, wire in published()]
)
@pytest.mark.parametrize("text", LEAKS, ids=LEAKS.values())
def test_a_public_text_that_says_who_is_refused_with_the_place_of_it(
    process: Process[Any], form: Form, wire: str, text: str
) -> None:
    with pytest.raises(GuardFailed) as refused:
        check_masked(process, read(form, to_json(example(form) | {wire: text})))

    assert refused.value.reason == "TEXT_NOT_MASKED"
    [fault] = refused.value.faults  # type: ignore[attr-defined]  # errors.py names them in the answer
    assert fault.field == wire
    assert text[fault.values["start"] - 1 :].startswith(fault.values["sample"][:2])


@pytest.mark.parametrize("text", LEAKS, ids=LEAKS.values())
def test_a_result_is_public_only_when_it_is_given_to_everybody(text: str) -> None:
    process = PROCESSES["issue"]
    form = forms(process)["give_feedback"]
    body = example(form) | {"timing": "ANYTIME", "text": text}

    with pytest.raises(GuardFailed):
        check_masked(process, read(form, to_json(body | {"audience": "PUBLIC"})))
    check_masked(process, read(form, to_json(body | {"audience": "INDIVIDUAL"})))


def test_there_are_public_texts_in_several_processes() -> None:
    assert {process.name for process, _, _ in published()} >= {"notice", "formation"}
