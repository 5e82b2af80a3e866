"""The fields that each command takes from people are those of the published table: these, and no other."""

import pytest

from services.api.actions import forms, opening
from services.api.forms import Common, Form
from workflows.issue.process import ISSUE
from workflows.meeting.process import MEETING
from workflows.supervision.process import SUPERVISION

ISSUES = """
accept_to_problem_list: mode category_code difficulty difficulty_reasons? level? lead_org?
    helper_orgs? clock_class? urgent?
request_verification:
report_facts: evidence text?
contact_reporter: note
ask_reporter: info
receive_info: text
decline: reason
merge_into: target
split: children
transfer_community: to_community reason
transfer_out: channel reason receipt?
confirm_decline:
refuse_decline: reason
object_to_decline: reason
accept_transfer:
refuse_transfer: reason
decide_transfer: community
dispatch: mode lead_org? helper_orgs? clock_class?
designate: lead_org
return_topic: reason
sign:
return_order: reason suggested_owner
log_progress: text evidence?
claim_completion: text evidence?
approve_completion:
reject_completion: reason
request_extension: to reason
decide_extension: approve reason?
request_suspension: class reason
decide_suspension: approve reason?
review_suspension: conditions_exist
resume: reason
call_for_help: departments kind
report_arrival: department
reply_referral: text due_on?
report_infeasible: evidence reason
milestone_done: milestone
record_street_decision: outcome text document_no lead_org? due_on? until? explanation?
record_consultation: conclusion text evidence?
add_to_project_list: measures survey_note feasibility lead_org helper_orgs? budget? funding_source?
    milestones? due_on
give_feedback: audience timing channel text
record_visit: contacted solved? satisfaction? demand_reasonable? remark?
decide_dispute: outcome explanation
reopen: reason
withdraw: reason
raise_level: reason
submit_issue: community_code title description source category_code? place_text? location? danger?
    general_concern? anonymous? reporter? hidden_from_lead? evidence? external_id? reported_at?
"""
SUPERVISIONS = """
open_supervision: subject_type subject_id reason
list: responsible_org responsible_person? due_on public text?
report_rectified: evidence text?
delist: evidence text?
refuse_delist: reason due_on
"""
MEETINGS = """
schedule_meeting: community_code type scheduled_at place make_up_for? joint_with? chair? briefing?
name_chair: chair
propose_item: topic? subject_type? subject_id? title? document? evidence? personnel? parties?
admit: item
return_item: item reason
add_urgent_item: topic
arrange_items: items
send_notice: briefing?
declare_interest: item member?
rule_on_interest: item member accepted
postpone: scheduled_at reason
reconvene: scheduled_at
cancel: reason
open_session: present? headcount?
record_attendance: joined? left? headcount?
open_item: item secret?
deliberate: item text?
record_statement: item party position need text? written?
record_vote: item choice? votes? count? voters?
close_vote: item
record_decision: item outcome text lead_org? due_on? until? reason? explanation? waiver_reason?
    consensus?
adjourn:
complete_decision: item lead_org? due_on?
sign_minutes:
correction: reason text
task_done: task text?
"""
EVERYWHERE = {*Common.model_fields, "exception_reason"}
TABLES = ((ISSUE, ISSUES), (SUPERVISION, SUPERVISIONS), (MEETING, MEETINGS))
FORMS = {one.name: one for process, _ in TABLES for one in (opening(process), *forms(process).values())}
ROWS = [row.partition(":") for _, table in TABLES for row in table.replace("\n    ", " ").strip().splitlines()]


@pytest.mark.parametrize(("name", "fields"), [(name, fields.split()) for name, _, fields in ROWS])
def test_a_command_takes_the_published_fields(name: str, fields: list[str]) -> None:
    schema = FORMS[name].schema()
    assert set(schema["properties"]) - EVERYWHERE == {field.rstrip("?") for field in fields}
    assert set(schema.get("required", [])) == {field for field in fields if not field.endswith("?")}
    assert schema["additionalProperties"] is False
    assert all("null" not in kinds_of(FORMS[name], field) for field in fields if not field.endswith("?"))


def kinds_of(form: Form, field: str) -> list[str]:
    entry = form.schema()["properties"][field]
    return [kind.get("type", "") for kind in (entry, *entry.get("anyOf", ()))]
