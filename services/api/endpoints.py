"""Who may use the operations of the API that are not commands of a case: the other half of the table of rights.

An operation without a row fails the test of the access matrix. What a case's own routes let through is read off its
process (`rights.py`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.api.contacts import AUDITORS
from services.api.operations import OPERATORS
from services.api.privacy import READERS
from workflows.kernel.process import Process
from workflows.kernel.roles import MEMBERS, STAFF, Role

OF_A_CASE = (
    r"(/opening|/forms/\{name\}|/\{key\}(/(events|clocks|actions|attachments|people|diagram|commands(/\w+)?|documents(/\{kind\})?|comments(/\{comment_id\})?|follow))?"
    r"|/export)?"
)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use an operation.

    `OPEN`: everybody, signed in or not. `SIGNED`: whoever has signed in, all the same. `OWN`: whoever has signed in,
    and it is about himself or gives only what he may know. `ROLES`: these roles, within their place. `CASE`: as the
    process says of a case.
    """

    who: Literal["OPEN", "SIGNED", "OWN", "ROLES", "CASE"]
    roles: frozenset[Role] = frozenset()
    anywhere: bool = False
    """The operation knows no place: the role is enough."""
    whole: bool = False
    """It concerns the whole deployment: the role must be held over all of it."""


OPEN, SIGNED, OWN, CASE = Access("OPEN"), Access("SIGNED"), Access("OWN"), Access("CASE")
KEEPERS = Access("ROLES", frozenset({Role.TENANT_ADMIN}))
# What they are given, or may write, is what they keep; the role alone lets them ask.
KEEPERS_OF_SOME = Access("ROLES", frozenset({Role.TENANT_ADMIN}), anywhere=True)
KEEPERS_OF_ALL = Access("ROLES", frozenset({Role.TENANT_ADMIN}), whole=True)
OFFICE = Access("ROLES", frozenset({Role.OFFICE_REVIEWER}))
WORKERS = Access("ROLES", STAFF)
COMMUNITY = Access("ROLES", STAFF | MEMBERS)


def _rows(access: Access, names: str) -> dict[str, Access]:
    return dict.fromkeys(names.split(), access)


TREE = ("regions", "organizations", "spatial-units", "buildings", "bodies")

ENDPOINTS: Mapping[str, Access] = {
    **_rows(OPEN, "live_health_live_get ready_health_ready_get metrics"),
    **_rows(OPEN, "sign_in sign_in_and_stay refresh oidc_login oidc_callback sign_in_ways"),
    **_rows(OPEN, "public_issue rate board privacy_notice public_certificate public_permits public_permit"),
    **_rows(OPEN, "ballot_paper answer_ballot object_publicly public_objection public_document public_notice"),
    **_rows(OPEN, "public_communities"),
    # By a secret of the feed's own: calendars on telephones do not sign in.
    **_rows(OPEN, "my_feed body_feed"),
    **_rows(OWN, "me sign_out my_sessions sign_out_everywhere change_password my_data"),
    **_rows(OWN, "second_factor begin_second_factor confirm_second_factor remove_second_factor"),
    **_rows(OWN, "waiting recent worklist_counts"),
    **_rows(OWN, "names find_names similar_issues my_views keep_views"),
    **_rows(OWN, "worklist overdue attach attachment new_feed revoke_feed"),
    **_rows(OWN, "notification_stream notifications read_notifications read_notification"),
    **_rows(OWN, "channels new_channel close_channel permits unpaid_instalments"),
    **_rows(SIGNED, "categories due rights counties_lists lists list_items list_version list_diff"),
    **_rows(SIGNED, "admission_check grid_check members.list"),
    **{f"{path}.{what}": SIGNED for path in TREE for what in ("list", "one")},
    **{f"{path}.{what}": KEEPERS for path in TREE for what in ("add", "change", "remove")},
    **_rows(KEEPERS, "members.add members.change roles.list roles.add roles.change export_tree"),
    **_rows(KEEPERS_OF_SOME, "import_tree committees.import api_keys substitutions.list"),
    **_rows(KEEPERS, "substitutions.add substitutions.change"),
    **_rows(KEEPERS, "people.list people.add people.one people.change people.erase people.phone"),
    **_rows(KEEPERS, "accounts.add accounts.change make_api_key revoke_api_key"),
    **_rows(COMMUNITY, "problem_list coverage project_list agenda burden committee measures"),
    **_rows(COMMUNITY, "measure_cases running_notices"),
    **_rows(WORKERS, "rollout committees.export overdue_counts"),
    **_rows(OFFICE, "import_list issue_ballot_tokens ballot_progress"),
    **_rows(SIGNED, "packs pack pack_diff calendar tree_forms"),
    **_rows(KEEPERS_OF_SOME, "retry_incident close_incident audit_seals templates template"),
    **_rows(KEEPERS_OF_SOME, "template_about template_preview try_template"),
    **_rows(
        KEEPERS_OF_ALL, "set_local_day clear_local_day load_year verify_audit retention put_template drop_template"
    ),
    "incidents": Access("ROLES", OPERATORS, anywhere=True),
    "decode": Access("ROLES", READERS, anywhere=True),
    "access_log": Access("ROLES", AUDITORS),
    # Contact details: staff of the place, whoever handles it, and the person himself; each read is written down.
    **_rows(CASE, "reporter objector meetings.standing"),
}


def access_of(operation: str, path: str, processes: Iterable[Process[Any]]) -> Access | None:
    """Who may use an operation; None for one that the table does not know."""
    if (found := ENDPOINTS.get(operation)) is not None:
        return found
    names = "|".join(process.plural for process in processes)
    return CASE if re.fullmatch(rf"(/api/v1)?/({names}){OF_A_CASE}", path) else None
