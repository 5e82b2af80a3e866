"""Ways by which an admission comes to each of its positions, and a lawful sample of every command."""

from collections.abc import Callable
from functools import cache
from typing import Any

from tests.scenarios.admitting import County, on
from tests.scenarios.street import C1, C2, EVIDENCE
from workflows.admission import commands as do
from workflows.admission.data import DeliveryMode, FundingKind, ListResult, Opinion, Outcome, Variant
from workflows.kernel.process import Actor, Case, Grant
from workflows.kernel.roles import Role

START = "09-14 10:00"
FLOOD: dict[str, Any] = {"emergency_basis": "text:flood", "planned_from": on("09-14"), "planned_until": on("12-31")}
OWED = do.Funding(source="text:b", amount=100, instalments=(do.Payment(amount=100, due_on=on("10-30")),))
Way = Callable[[], County]

ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
OUTSIDER = Actor("outsider", "outsider", tuple(Grant(role, "620299001001", "elsewhere") for role in ROLES))
"""Somebody with every role there is, in another county and for another organisation."""
NO_ROLE = Actor("keeper", "keeper", (Grant(Role.SEAL_KEEPER, C1, "community-1"), Grant(Role.RESIDENT, C1)))
"""Somebody of the very place, in roles that have nothing to do with admissions."""


def submitted(variant: Variant = Variant.WORK_ITEM, **fields: Any) -> County:
    """An application of two communities, filed."""
    town = County(START)
    by = "department" if variant is Variant.WORK_ITEM else "telecom"
    given = {"communities": (C1, C2), "planned_from": on("10-01"), "planned_until": on("2027-06-30"), **fields}
    town.apply("a", by, variant, **given)
    return town


def emergency() -> County:
    """An emergency entry that the leading group has not confirmed yet."""
    town = County(START, "panzhihua_2016")
    town.apply("a", "department", **FLOOD)
    return town


def provisional() -> County:
    """Entered first, not filed yet."""
    town = emergency()
    town.say("a", "approver", do.ConfirmEmergency(approve=True))
    return town


def correction() -> County:
    """Sent back once."""
    town = submitted()
    town.say("a", "reviewer", do.RequestCorrection(gaps=("text:g",)))
    return town


def listed(**fields: Any) -> County:
    """Checked against the lists."""
    town = submitted(**fields)
    town.say("a", "reviewer", do.RunListCheck())
    return town


def registered_only() -> County:
    """Done by the department's own people."""
    town = listed(delivery_mode=DeliveryMode.OWN_STAFF)
    town.say("a", "reviewer", do.ConfirmListCheck(result=ListResult.OTHER_MODE))
    return town


def under_review(variant: Variant = Variant.WORK_ITEM, **fields: Any) -> County:
    """Before the approving body."""
    town = submitted(variant, **fields)
    town.review("a")
    return town


def approved(variant: Variant = Variant.WORK_ITEM, **fields: Any) -> County:
    """Approved, with a number."""
    town = under_review(variant, **fields)
    town.approve("a")
    return town


def agreed(**fields: Any) -> County:
    """One community signed, the other one is in mediation."""
    town = approved(**fields)
    town.say("a", "department", do.SignAgreement())
    town.say("a", "secretary1", do.SignAgreement())
    town.say("a", "secretary2", do.RefuseTerms(reason="text:r"))
    return town


def funded() -> County:
    """The money is promised."""
    town = agreed()
    town.say("a", "department", do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=EVIDENCE))
    return town


def active(**fields: Any) -> County:
    """In force in one community, the other one still in mediation."""
    town = agreed(**fields)
    town.enter("a")
    return town


def unpaid() -> County:
    """In force, with money overdue for ten working days."""
    town = active(funding=OWED)
    town.at("12-01 10:00")
    return town


def reported() -> County:
    """Reported as complete."""
    town = active()
    town.say("a", "department", do.ReportCompletion(text="text:t"))
    return town


def renewal() -> County:
    """A renewal was asked for in its window."""
    town = active(planned_until=on("2026-12-31"))
    town.at("11-25 10:00").say("a", "department", do.ApplyRenewal(valid_until=on("2027-06-30")))
    return town


def window() -> County:
    """A renewal may be asked for."""
    town = active(planned_until=on("2026-12-31"))
    town.at("11-25 10:00")
    return town


def rectifying() -> County:
    """To be put right by a day."""
    town = active()
    town.say("a", "approver", do.OrderRectification(findings="text:f"))
    return town


def overdue_rectification() -> County:
    """Not put right in time."""
    town = rectifying()
    town.at("11-02 10:00")
    return town


def proposed() -> County:
    """The revocation is proposed, the applicant has had his say."""
    town = overdue_rectification()
    town.say("a", "reviewer", do.ProposeRevocation(findings="text:f"))
    town.say("a", "department", do.StateViews(text="text:t"))
    return town


def hearing() -> County:
    """The revocation is proposed, the applicant may have his say."""
    town = overdue_rectification()
    town.say("a", "reviewer", do.ProposeRevocation(findings="text:f"))
    return town


def revoked() -> County:
    """Revoked, not handed over."""
    town = proposed()
    town.say("a", "reviewer", do.Revoke(reason="text:r"))
    return town


def expired() -> County:
    """Its term is over."""
    town = active(planned_until=on("2026-10-31"))
    town.at("11-02 10:00")
    return town


def rejected() -> County:
    """Rejected by the approving body."""
    town = under_review()
    town.say("a", "approver", do.Decide(outcome=Outcome.REJECT, reason="text:r"))
    return town


def prohibited() -> County:
    """A prohibited kind of item."""
    town = listed(item_name="text:investment")
    town.say("a", "reviewer", do.ConfirmListCheck(result=ListResult.PROHIBITED))
    return town


def not_required() -> County:
    """On a list."""
    town = listed(item_name="text:low-income")
    town.say("a", "reviewer", do.ConfirmListCheck(result=ListResult.ON_LIST, list_item="B-07"))
    return town


def lapsed() -> County:
    """Not corrected in time."""
    town = correction()
    town.at("10-20 10:00")
    return town


def withdrawn() -> County:
    """No longer asked for."""
    town = submitted()
    town.say("a", "department", do.Withdraw())
    return town


def completed() -> County:
    """Done and settled."""
    town = reported()
    town.say("a", "secretary1", do.ConfirmCompletion())
    town.say("a", "reviewer", do.ConfirmCompletion())
    return town


def absorbed() -> County:
    """Taken into the county's lists."""
    town = active(item_name="text:insured")
    town.at("11-20 10:00").say("a", "reviewer", do.TransferToList(list_item="B-12"))
    return town


WAYS: dict[str, Way] = {
    "EMERGENCY_ASKED": emergency,
    "ACTIVE_PROVISIONAL": provisional,
    "SUBMITTED": submitted,
    "CORRECTION": correction,
    "LIST_CHECKED": listed,
    "REGISTERED_ONLY": registered_only,
    "UNDER_REVIEW": under_review,
    "APPROVED": approved,
    "AGREED": agreed,
    "FUNDED": funded,
    "ACTIVE": active,
    "RENEWAL_REVIEW": renewal,
    "RECTIFYING": rectifying,
    "REVOCATION_PROPOSED": proposed,
    "REVOKED": revoked,
    "CLOSED:NOT_REQUIRED": not_required,
    "CLOSED:REJECTED": rejected,
    "CLOSED:REJECTED_PROHIBITED": prohibited,
    "CLOSED:LAPSED": lapsed,
    "CLOSED:COMPLETED": completed,
    "CLOSED:EXPIRED": expired,
    "CLOSED:WITHDRAWN": withdrawn,
    "CLOSED:ABSORBED": absorbed,
}
OTHERWISE: dict[tuple[str, type], Way] = {
    ("SUBMITTED", do.CheckConditions): lambda: submitted(Variant.UNIT),
    ("APPROVED", do.ConfirmFunding): lambda: approved(Variant.UNIT),
    ("APPROVED", do.AmendPermit): lambda: _refused_first(),
    ("ACTIVE", do.ConfirmCompletion): reported,
    ("ACTIVE", do.ApplyRenewal): window,
    ("ACTIVE", do.TransferToList): lambda: _revised(),
    ("RECTIFYING", do.ProposeRevocation): overdue_rectification,
    ("REVOCATION_PROPOSED", do.StateViews): hearing,
    **{(state, do.SuspendPerformance): unpaid for state in ("ACTIVE",)},
    ("RENEWAL_REVIEW", do.SuspendPerformance): lambda: _owing(renewing=True),
    ("RECTIFYING", do.SuspendPerformance): lambda: _owing(rectify=True),
    ("REVOCATION_PROPOSED", do.SuspendPerformance): lambda: _owing(rectify=True, propose=True),
    **{
        (state, do.RecordPayment): way
        for state, way in (
            ("AGREED", lambda: agreed(funding=OWED)),
            ("FUNDED", lambda: _owed_funded()),
            ("ACTIVE", unpaid),
            ("RENEWAL_REVIEW", lambda: _owing(renewing=True)),
            ("RECTIFYING", lambda: _owing(rectify=True)),
            ("REVOCATION_PROPOSED", lambda: _owing(rectify=True, propose=True)),
        )
    },
    **{
        (state, command): way
        for command in (do.SignAgreement, do.RefuseTerms)
        for state, way in (
            ("AGREED", lambda: _asked_again(agreed())),
            ("FUNDED", lambda: _asked_again(funded())),
            ("ACTIVE", lambda: _asked_again(active())),
            ("RENEWAL_REVIEW", lambda: _asked_again(renewal())),
            ("RECTIFYING", lambda: _asked_again(rectifying())),
            ("REVOCATION_PROPOSED", lambda: _asked_again(proposed())),
        )
    },
}
"""Other ways to a position, for commands that ask for more than the position."""


def _refused_first() -> County:
    town = approved()
    town.say("a", "secretary2", do.RefuseTerms(reason="text:r"))
    return town


def _revised() -> County:
    town = active(item_name="text:insured")
    town.at("11-20 10:00")
    return town


def _asked_again(town: County) -> County:
    town.say("a", "reviewer", do.AmendPermit(communities=(C1, C2), terms="text:terms"))
    return town


def _owed_funded() -> County:
    town = agreed(funding=OWED)
    town.say("a", "department", do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=EVIDENCE))
    return town


def _owing(*, renewing: bool = False, rectify: bool = False, propose: bool = False) -> County:
    """Money falls due while something else is on its way."""
    until = on("2026-12-31") if renewing else on("2027-06-30")
    late = do.Payment(amount=100, due_on=on("11-27") if renewing else on("10-30"))
    town = active(planned_until=until, funding=do.Funding(source="text:b", amount=100, instalments=(late,)))
    if renewing:
        town.at("11-25 10:00").say("a", "department", do.ApplyRenewal(valid_until=on("2027-06-30")))
        town.at("12-15 10:00")
    if rectify:
        town.at("10-29 10:00").say("a", "approver", do.OrderRectification(findings="text:f"))
        town.at("12-01 10:00")
    if propose:
        town.say("a", "reviewer", do.ProposeRevocation(findings="text:f"))
    return town


@cache
def at_position(position: str, on: type | None = None) -> County:
    """The case there; looked at, or for a command that asks for more."""
    town = OTHERWISE.get((position, on), WAYS[position])() if on is not None else WAYS[position]()
    assert town.street.cases["a"].position == position, (position, on, town.street.cases["a"].position)
    return town


def sample(case: Case[Any], kind: type) -> Any:
    """A lawful command of this kind where the case stands."""
    town = County(START, "panzhihua_2016")
    return {
        do.Submit: town.application("department", **(FLOOD | {"emergency_basis": None})),
        do.ConfirmEmergency: do.ConfirmEmergency(approve=True),
        do.RequestCorrection: do.RequestCorrection(gaps=("text:g",)),
        do.Resubmit: do.Resubmit(content="text:c"),
        do.Withdraw: do.Withdraw(),
        do.RunListCheck: do.RunListCheck(),
        do.CheckConditions: do.CheckConditions(met=("text:m",), unmet=(), function_split="text:s"),
        do.ConfirmListCheck: do.ConfirmListCheck(result=ListResult.OTHER),
        do.GiveOpinion: do.GiveOpinion(opinion=Opinion.SUPPORT),
        do.Decide: do.Decide(outcome=Outcome.APPROVE),
        do.Reconsider: do.Reconsider(reason="text:r"),
        do.SignAgreement: do.SignAgreement(),
        do.RefuseTerms: do.RefuseTerms(reason="text:r"),
        do.AmendPermit: do.AmendPermit(communities=(C1,)),
        do.ConfirmFunding: do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=EVIDENCE),
        do.RegisterAndEnter: do.RegisterAndEnter(),
        do.RecordPayment: do.RecordPayment(instalment=1, paid_on=on("2026-09-14"), receipt="receipt"),
        do.SuspendPerformance: do.SuspendPerformance(reason="text:r"),
        do.ReportBreach: do.ReportBreach(text="text:t"),
        do.ReportCompletion: do.ReportCompletion(text="text:t"),
        do.ConfirmCompletion: do.ConfirmCompletion(),
        do.ApplyRenewal: do.ApplyRenewal(valid_until=on("2027-06-30")),
        do.GrantInterim: do.GrantInterim(until=on("2027-01-10"), reason="text:r"),
        do.TransferToList: do.TransferToList(list_item="B-12"),
        do.InspectionOpened: do.InspectionOpened(inspection="i", year=2026),
        do.InspectionConcluded: do.InspectionConcluded(inspection="i", year=2026, outcome="RECTIFY"),
        do.SupervisionOpened: do.SupervisionOpened(supervision="s"),
        do.SupervisionDelisted: do.SupervisionDelisted(supervision="s"),
        do.OrderRectification: do.OrderRectification(findings="text:f"),
        do.ExtendRectification: do.ExtendRectification(to=on("10-20"), reason="text:r"),
        do.ReportRectified: do.ReportRectified(text="text:t"),
        do.AcceptRectification: do.AcceptRectification(text="text:t"),
        do.ProposeRevocation: do.ProposeRevocation(findings="text:f"),
        do.StateViews: do.StateViews(text="text:t"),
        do.Revoke: do.Revoke(reason="text:r"),
        do.WithdrawProposal: do.WithdrawProposal(reason="text:r"),
        do.ConfirmHandOver: do.ConfirmHandOver(),
    }[kind]


SYSTEM_ONLY = (do.InspectionOpened, do.InspectionConcluded, do.SupervisionOpened, do.SupervisionDelisted)
