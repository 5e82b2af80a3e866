"""The picture of a process follows BPMN 2.0: every node and flow once, each of them drawn."""

from collections import Counter
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from services.documents.bpmn import diagram
from workflows.issue.process import ISSUE
from workflows.kernel.process import Process
from workflows.supervision.process import SUPERVISION

MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
POINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
COLOR = "{http://www.omg.org/spec/BPMN/non-normative/color/1.0}background-color"
NODES = {f"{MODEL}{name}" for name in ("startEvent", "userTask", "endEvent")}

every_process = pytest.mark.parametrize("process", [ISSUE, SUPERVISION], ids=lambda one: one.name)


def drawn(process: Process[Any], **more: Any) -> ElementTree.Element:
    return ElementTree.fromstring(diagram(process, **more))


@every_process
def test_every_id_is_valid_and_unique(process: Process[Any]) -> None:
    ids = Counter(node.get("id") for node in drawn(process).iter() if node.get("id"))

    assert max(ids.values()) == 1
    assert all(name and name[0].isalpha() and ":" not in name for name in ids)


@every_process
def test_flows_join_nodes_that_know_of_them(process: Process[Any]) -> None:
    root = drawn(process)
    nodes = {node.get("id"): node for node in root.iter() if node.tag in NODES}
    for flow in root.iter(f"{MODEL}sequenceFlow"):
        source, target = nodes[flow.get("sourceRef")], nodes[flow.get("targetRef")]
        assert flow.get("id") in {one.text for one in source.findall(f"{MODEL}outgoing")}
        assert flow.get("id") in {one.text for one in target.findall(f"{MODEL}incoming")}
    for node in nodes.values():
        order = [child.tag.removeprefix(MODEL) for child in node]
        assert order == sorted(order, key=["documentation", "incoming", "outgoing"].index)
        if node.tag == f"{MODEL}startEvent":
            assert node.find(f"{MODEL}incoming") is None


@every_process
def test_every_node_and_every_flow_is_drawn_once(process: Process[Any]) -> None:
    root = drawn(process)
    meant = Counter(node.get("id") for node in root.iter() if node.tag in NODES or node.tag == f"{MODEL}sequenceFlow")
    shown = Counter(node.get("bpmnElement") for node in root.iter() if node.tag in (f"{DI}BPMNShape", f"{DI}BPMNEdge"))

    assert meant == shown
    assert all(len(edge.findall(POINT)) >= 2 for edge in root.iter(f"{DI}BPMNEdge"))


@every_process
def test_no_two_nodes_lie_on_each_other(process: Process[Any]) -> None:
    boxes = [
        tuple(float(bounds.get(name, "")) for name in ("x", "y", "width", "height"))
        for bounds in drawn(process).iter(f"{DC}Bounds")
    ]

    for number, (x, y, width, height) in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = (
                x + width <= other[0] or other[0] + other[2] <= x or y + height <= other[1] or other[1] + other[3] <= y
            )
            assert apart


@every_process
def test_every_position_that_a_case_can_reach_is_there(process: Process[Any]) -> None:
    root = drawn(process)
    ids = {node.get("id") for node in root.iter() if node.tag in NODES}

    reached = {target.replace(":", ".") for arrow in process.arrows for target in arrow.to if target != arrow.source}
    assert reached - {""} <= ids


def test_only_the_current_position_is_marked() -> None:
    marked = [
        shape.get("bpmnElement") for shape in drawn(ISSUE, here="ASSIGNED").iter(f"{DI}BPMNShape") if shape.get(COLOR)
    ]

    assert marked == ["ASSIGNED"]
    assert not any(shape.get(COLOR) for shape in drawn(ISSUE).iter(f"{DI}BPMNShape"))


def test_titles_are_in_the_readers_language() -> None:
    names = {node.get("name") for node in drawn(ISSUE, language="en").iter() if node.tag in NODES}

    assert {"Registered", "Assigned"} <= names


@every_process
def test_no_flow_crosses_a_node(process: Process[Any]) -> None:
    root = drawn(process)
    boxes = [
        tuple(float(bounds.get(name, "")) for name in ("x", "y", "width", "height"))
        for bounds in root.iter(f"{DC}Bounds")
    ]
    for edge in root.iter(f"{DI}BPMNEdge"):
        points = [(float(one.get("x", "")), float(one.get("y", ""))) for one in edge.findall(POINT)]
        for (x1, y1), (x2, y2) in pairwise(points):
            left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
            for x, y, width, height in boxes:
                is_within = left < x + width and x < right and top < y + height and y < bottom
                assert not is_within, edge.get("id")
