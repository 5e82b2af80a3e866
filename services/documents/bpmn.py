"""Draw a process as BPMN 2.0 with its layout, from the same table of arrows that runs it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from workflows.kernel.process import Arrow, Moment, Process, State, named

NAMESPACES = {
    "xmlns:bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "xmlns:bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "xmlns:dc": "http://www.omg.org/spec/DD/20100524/DC",
    "xmlns:di": "http://www.omg.org/spec/DD/20100524/DI",
    # "BPMN in Color", which the common editors read.
    "xmlns:color": "http://www.omg.org/spec/BPMN/non-normative/color/1.0",
    "targetNamespace": "urn:shangliang:processes",
}
START = "start"
LEFT, TOP = 80, 80
COLUMN, ROW = 230, 120
TASK = (150, 70)
EVENT = (36, 36)
LANES, STEP = 6, 6
"""Lines side by side in a gap between columns or rows, and how far apart."""
LANE_AWAY, GAP = 16, 10 + LANES * STEP
HERE = {"color:background-color": "#fff2cc", "color:border-color": "#d6b656"}
MOMENTS = {
    "BLUE": ("临期提醒", "reminder"),
    "DUE": ("到期", "due"),
    "ENDED": ("期满", "ended"),
    "RED": ("红色督办", "red"),
    "RED_PLUS_PLUS": ("报上级", "red, reported"),
}


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node is drawn, in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """Height of its middle line."""
        return self.y + self.height // 2


def diagram(process: Process[Any], *, here: str | None = None, language: str = "zh") -> bytes:
    """Give the process as a BPMN 2.0 document; `here` is the position to be highlighted."""
    flows = _flows(process, language)
    boxes = _layout(process, flows)
    root = Element("bpmn:definitions", {**NAMESPACES, "id": f"{process.name}-definitions"})
    drawn = SubElement(
        root,
        "bpmn:process",
        {"id": process.name, "name": _word((process.zh, process.en), language), "isExecutable": "false"},
    )
    _nodes(drawn, process, flows, here, language)
    for number, ((source, target), titles) in enumerate(flows.items(), start=1):
        SubElement(
            drawn,
            "bpmn:sequenceFlow",
            {
                "id": f"flow-{number}",
                "name": " / ".join(titles),
                "sourceRef": _id(source),
                "targetRef": _id(target),
            },
        )
    picture = SubElement(root, "bpmndi:BPMNDiagram", {"id": f"{process.name}-diagram"})
    plane = SubElement(picture, "bpmndi:BPMNPlane", {"id": f"{process.name}-plane", "bpmnElement": process.name})
    for name, box in boxes.items():
        shape = {"id": f"{_id(name)}-shape", "bpmnElement": _id(name)}
        _bounds(SubElement(plane, "bpmndi:BPMNShape", {**shape, **(HERE if name == here else {})}), box)
    for number, pair in enumerate(flows, start=1):
        edge = SubElement(plane, "bpmndi:BPMNEdge", {"id": f"flow-{number}-edge", "bpmnElement": f"flow-{number}"})
        for x, y in _waypoints(boxes[pair[0]], boxes[pair[1]], number):
            SubElement(edge, "di:waypoint", {"x": str(x), "y": str(y)})
    indent(root)
    document: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def _nodes(
    drawn: Element, process: Process[Any], flows: Iterable[tuple[str, str]], here: str | None, language: str
) -> None:
    numbered = list(enumerate(flows, start=1))
    for name in _reached(process, flows):
        state = process.positions.get(name)
        tag = "bpmn:startEvent" if state is None else "bpmn:endEvent" if state.ends else "bpmn:userTask"
        node = SubElement(drawn, tag, {"id": _id(name), "name": _title(state, language)})
        notes = _notes(process, name, language)
        if name == here:
            notes.insert(0, _word(("当前位置", "the case stands here"), language))
        if notes:
            SubElement(node, "bpmn:documentation").text = "\n".join(notes)
        for number, (_, target) in numbered:
            if target == name:
                SubElement(node, "bpmn:incoming").text = f"flow-{number}"
        for number, (source, _) in numbered:
            if source == name:
                SubElement(node, "bpmn:outgoing").text = f"flow-{number}"


def _flows(process: Process[Any], language: str) -> dict[tuple[str, str], list[str]]:
    """What leads from where to where, with everything that does; what stays where it is is no flow."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for arrow in process.arrows:
        for target in arrow.to:
            if target and target != arrow.source:
                titles = found[arrow.source, target]
                if (title := _what(arrow, process, language)) not in titles:
                    titles.append(title)
    return dict(found)


def _notes(process: Process[Any], name: str, language: str) -> list[str]:
    """What may be done at a position without leaving it."""
    return list(
        dict.fromkeys(
            _what(arrow, process, language)
            for arrow in process.arrows
            if arrow.source == name and name and not arrow.to
        )
    )


def _what(arrow: Arrow, process: Process[Any], language: str) -> str:
    if isinstance(arrow.on, Moment):
        rule = process.clock_rules.get(arrow.on.code)
        clock = _word((rule.zh, rule.en), language) if rule else arrow.on.code
        return f"⏱ {clock} {_word(MOMENTS[arrow.on.kind], language)}"
    names = named(arrow.on)
    return _word((names.zh, names.en), language)


def _reached(process: Process[Any], flows: Iterable[tuple[str, str]]) -> list[str]:
    ends = {name for pair in flows for name in pair}
    return [name for name in ("", *process.positions) if name in ends]


# --- layout -----------------------------------------------------------------------------------------------


def _layout(process: Process[Any], flows: Mapping[tuple[str, str], Sequence[str]]) -> dict[str, Box]:
    """A column for every distance from the start, ends in the last one, rows in the order of the table."""
    names = _reached(process, flows)
    distance = _distances(flows)
    last = max(distance.values(), default=0) + 1
    rows: dict[int, int] = defaultdict(int)
    boxes: dict[str, Box] = {}
    for name in names:
        state = process.positions.get(name)
        is_event = state is None or state.ends
        column = last if state is not None and state.ends else distance.get(name, last)
        width, height = EVENT if is_event else TASK
        x = LEFT + column * COLUMN + (TASK[0] - width) // 2
        y = TOP + rows[column] * ROW + (TASK[1] - height) // 2
        boxes[name] = Box(x, y, width, height)
        rows[column] += 1
    return boxes


def _distances(flows: Iterable[tuple[str, str]]) -> dict[str, int]:
    following: dict[str, list[str]] = defaultdict(list)
    for source, target in flows:
        following[source].append(target)
    distance, border = {"": 0}, [""]
    while border:
        border = [
            target
            for source in border
            for target in following[source]
            if target not in distance and distance.setdefault(target, distance[source] + 1)
        ]
    return distance


def _waypoints(source: Box, target: Box, number: int) -> list[tuple[int, int]]:
    """By the lanes between columns and rows, so that no line crosses a box; each flow beside the others.

    A neighbour on the right is reached straight across. Whatever lies farther right is reached along the gap over its
    row; what lies back or in the same column along the gap under the source, and from its right side.
    """
    out, start = source.x + source.width, (source.x + source.width, source.middle)
    lane = _right_of(source) + number % LANES * STEP
    if _column(target) == _column(source) + 1:
        return [start, (lane, source.middle), (lane, target.middle), (target.x, target.middle)]
    if target.x > out:
        over = _row_top(target) - GAP + number % LANES * STEP
        before = _left_of(target) - number % LANES * STEP
        return [
            start,
            (lane, source.middle),
            (lane, over),
            (before, over),
            (before, target.middle),
            (target.x, target.middle),
        ]
    behind = _right_of(target) + number % LANES * STEP
    end = (target.x + target.width, target.middle)
    if _column(target) == _column(source):
        return [start, (behind, source.middle), (behind, target.middle), end]
    under = _row_top(source) + TASK[1] + (GAP - number % LANES * STEP)
    return [start, (lane, source.middle), (lane, under), (behind, under), (behind, target.middle), end]


def _column(box: Box) -> int:
    return (box.x - LEFT) // COLUMN


def _row_top(box: Box) -> int:
    """Where a task in the row of this box begins; an event is smaller and stands in its middle."""
    return box.middle - TASK[1] // 2


def _left_of(box: Box) -> int:
    return LEFT + _column(box) * COLUMN - LANE_AWAY


def _right_of(box: Box) -> int:
    return LEFT + _column(box) * COLUMN + TASK[0] + LANE_AWAY


def _bounds(shape: Element, box: Box) -> None:
    SubElement(
        shape,
        "dc:Bounds",
        {"x": str(box.x), "y": str(box.y), "width": str(box.width), "height": str(box.height)},
    )


def _title(state: State | None, language: str) -> str:
    return _word(("开始", "Start") if state is None else (state.zh, state.en), language)


def _word(pair: tuple[str, str], language: str) -> str:
    return pair[language == "en"]


def _id(name: str) -> str:
    """A valid XML id for a position: `CLOSED:RESOLVED` has a colon, which an id may not have."""
    return name.replace(":", ".") or START
