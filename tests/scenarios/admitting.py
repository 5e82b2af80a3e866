"""Admissions on the simulated street: an application filled in as far as a scenario needs it, and the common ways."""

from datetime import date
from typing import Any

from tests.scenarios.street import C1, EVIDENCE, ORGANIZATIONS, PEOPLE, Town
from workflows.admission import commands as do
from workflows.admission.data import DeliveryMode, FundingKind, ListResult, Outcome, Variant
from workflows.kernel.process import Case, Refusal

WORK_ITEM, UNIT = "demo_work_item", "city_admission_000"
"""The packs of the two variants (scenarios §0)."""
MONEY = do.Funding(
    source="text:budget",
    amount=90_000,
    instalments=(
        do.Payment(amount=30_000, due_on=date(2026, 11, 30)),
        do.Payment(amount=30_000, due_on=date(2027, 2, 26)),
        do.Payment(amount=30_000, due_on=date(2027, 5, 31)),
    ),
)
PAID_AT_ONCE = do.Funding(source="text:budget", amount=10_000)


def on(day: str) -> date:
    """A day such as `11-02` of 2026, or one with its year."""
    return date.fromisoformat(day if day.count("-") == 2 else f"2026-{day}")


class County(Town):
    """The street with its county's admissions."""

    def application(self, by: str, variant: Variant = Variant.WORK_ITEM, **fields: Any) -> do.Submit:
        """What an applicant files; everything that a scenario does not speak of is in order."""
        grant = PEOPLE[by].grants[0]
        given: dict[str, Any] = {
            "variant": variant,
            "applicant_org": grant.org,
            "item_name": "text:item",
            "basis": "text:basis",
            "need_reason": "text:need",
            "content": "text:content",
            "delivery_mode": DeliveryMode.TWO_COMMITTEES,
            "communities": (C1,),
            "planned_from": on("2027-01-04"),
            "planned_until": on("2027-06-30"),
            "staffing": "text:staff",
            "funding": PAID_AT_ONCE,
        }
        return do.Submit(**(given | fields))

    def apply(self, key: str, by: str, variant: Variant = Variant.WORK_ITEM, **fields: Any) -> Case[Any]:
        """File an application."""
        command = self.application(by, variant, **fields)
        return self.street.open("admission", key, command, PEOPLE[by], facts={"organizations": ORGANIZATIONS})

    def refused_application(self, by: str, variant: Variant = Variant.WORK_ITEM, **fields: Any) -> Refusal:
        """The refusal of an application; nothing may have begun."""
        try:
            self.apply("refused", by, variant, **fields)
        except Refusal as no:
            assert "refused" not in self.street.cases
            return no
        raise AssertionError("the application was not refused")

    def review(self, key: str) -> Case[Any]:
        """The office finds it complete and in order: it is under review."""
        if self.street.cases[key].data.variant is Variant.UNIT:
            checked = do.CheckConditions(met=("text:met",), unmet=(), function_split="text:split")
            return self.say(key, "reviewer", checked)
        self.say(key, "reviewer", do.RunListCheck())
        return self.say(key, "reviewer", do.ConfirmListCheck(result=ListResult.OTHER))

    def approve(self, key: str, **fields: Any) -> Case[Any]:
        """The approving body says yes."""
        return self.say(key, self.approver(key), do.Decide(outcome=Outcome.APPROVE, **fields))

    def approver(self, key: str) -> str:
        """Who decides on it."""
        case = self.street.cases[key]
        if case.data.office_approves:
            return "reviewer"
        return "cityapprover" if len(case.community) == 4 else "approver"

    def sign_all(self, key: str) -> Case[Any]:
        """Applicant and every community sign."""
        case = self.street.cases[key]
        self.say(key, case.data.submitted_by, do.SignAgreement())
        for code in case.data.communities:
            case = self.say(key, f"secretary{code[-1]}", do.SignAgreement())
        return case

    def enter(self, key: str) -> Case[Any]:
        """The money is promised and the permit registered."""
        case = self.street.cases[key]
        funded = do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=EVIDENCE)
        self.say(key, case.data.submitted_by, funded)
        return self.say(key, "reviewer", do.RegisterAndEnter())

    def admit(self, key: str, by: str, variant: Variant = Variant.UNIT, **fields: Any) -> Case[Any]:
        """From application to entry in one go, without a hitch."""
        self.apply(key, by, variant, **fields)
        self.review(key)
        self.approve(key)
        if variant is Variant.WORK_ITEM:
            self.sign_all(key)
        return self.enter(key)
