"""The documents of an issue (文书, glossary §5): by which event each comes to exist (pure)."""

from collections.abc import Callable, Mapping
from typing import Any

from workflows.kernel.process import Paper

Payload = Mapping[str, Any]

ORDERS = ("dispatched", "order_started", "record_decision", "record_street_decision", "designate")
TOPICS = (
    "topic_proposed",
    "raise_level",
    "level_raised",
    "escalated",
    "report_infeasible",
    "suspended_too_long",
    "record_decision",
)
URGED = ("clock_reminded", "clock_breached", "clock_red")
LADDER = ("HANDLE", "REFER_REPLY", "OVERALL")
"""Clocks that remind and escalate in three colours (processes §0.4)."""


def _goes(*positions: str) -> Callable[[Payload], bool]:
    return lambda payload: payload.get("to", "").partition(":")[0] in positions


def _notes(payload: Payload) -> Mapping[str, Any]:
    notes: Mapping[str, Any] = payload.get("notes", {})
    return notes


def _becomes_topic(payload: Payload) -> bool:
    return payload.get("to") == "TOPIC_PROPOSED" or bool(payload.get("sets", {}).get("escalated"))


def _is_referral(payload: Payload) -> bool:
    return bool(payload.get("sets", {}).get("referred"))


PAPERS = (
    Paper("INTAKE_RECEIPT", "受理回执", "Intake receipt", on=("registered",)),
    Paper("TOPIC_FORM", "议题单", "Topic form", on=TOPICS, when=_becomes_topic),
    Paper(
        "WORK_ORDER",
        "工单",
        "Work order",
        on=ORDERS,
        when=lambda payload: _goes("ASSIGNED", "IN_PROGRESS")(payload) and not _is_referral(payload),
    ),
    Paper("REFERRAL_ORDER", "问题反馈单", "Referral order", on=("record_decision",), when=_is_referral),
    Paper("DECISION_EXTRACT", "决定摘录", "Extract of the decision", on=("record_decision", "record_street_decision")),
    Paper("TRANSFER_SLIP", "转办单", "Transfer slip", on=("transfer_out",)),
    Paper("RETURN_SLIP", "退单", "Return slip", on=("return_order",), when=_goes("ON_PROBLEM_LIST")),
    Paper("ACTION_PLAN", "工作措施和计划", "Action plan", on=("add_to_project_list",)),
    Paper(
        "SUPERVISION_ORDER",
        "督办单",
        "Supervision order",
        on=URGED,
        when=lambda payload: _notes(payload).get("clock") in LADDER,
    ),
    Paper(
        "RESULT_PUBLICATION",
        "结果公示",
        "Publication of the result",
        on=("give_feedback",),
        public=True,
        when=lambda payload: _notes(payload).get("audience") == "PUBLIC",
    ),
    Paper("FEEDBACK_RECORD", "反馈记录", "Record of feedback", on=("give_feedback",)),
    Paper("RETURN_VISIT_RECORD", "回访记录", "Record of a return visit", on=("record_visit",)),
)
