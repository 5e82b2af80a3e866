"""The door: a body becomes an envelope, or every fault in it is named.

What people wrote, and who they are, is taken out here and travels sealed; the engine sees references only
(architecture, rule 9).
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from services.api.errors import Invalid, Malformed
from services.api.faults import Fault, faults
from services.api.forms import Common, Form, plain, visit
from services.api.ports import Known, People, Reads, Sealing
from services.identity.places import Org
from workflows.kernel.fields import (
    Attachment,
    CaseRef,
    Category,
    Community,
    Contact,
    Field,
    Introduced,
    Organization,
    Person,
    PolicyPack,
    Prose,
    Somebody,
)
from workflows.kernel.masking import find
from workflows.kernel.process import Actor, Asked, Case, GuardFailed, Process
from workflows.kernel.roles import Role
from workflows.kernel.wire import Envelope, command_of
from workflows.policy.packs import available, load

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SOMEBODY = re.compile(r"contact:[0-9a-f]{16}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Somebody as a case already knows him."""
_VERSION = re.compile(r'(?:W/)?"?(\d{1,9})"?')


@dataclass(frozen=True, slots=True)
class Letter:
    """A body that has the right form; nothing in it has been looked up yet."""

    form: Form
    values: Mapping[str, Any]
    acting_role: str | None
    acting_org: str | None
    on_behalf_of: str | None
    body_hash: str


def read(form: Form, body: bytes) -> Letter:
    """Check the form of a body; raises `Malformed` or `Invalid` with every fault."""
    try:
        checked = form.model.model_validate_json(body if body.strip() else b"{}")
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        if any(error["type"] == "json_invalid" or not error["loc"] for error in found):
            raise Malformed from None
        raise Invalid(*faults(found)) from None
    assert isinstance(checked, Common)
    values = plain(form.shape, checked)
    common = {name: getattr(checked, name) for name in Common.model_fields if getattr(checked, name) is not None}
    return Letter(
        form=form,
        values=values,
        acting_role=checked.acting_role,
        acting_org=checked.acting_org,
        on_behalf_of=checked.on_behalf_of,
        body_hash=_digest(form.name.encode(), to_json(_sorted({"fields": values, **common}))),
    )


def idempotency_key(header: str | None, actor: Actor) -> str:
    """The key of a command, bound to its caller; a random one when he gave none."""
    if header is None:
        return secrets.token_hex(32)
    if not _KEY.fullmatch(header):
        raise Invalid(Fault("Idempotency-Key", "idempotency_key"))
    return _digest(actor.id.encode(), header.encode())


def expected_version(header: str | None) -> int | None:
    """The version that an If-Match header names; None for none and for `*`."""
    if header is None or header.strip() == "*":
        return None
    match = _VERSION.fullmatch(header.strip())
    if match is None:
        raise Invalid(Fault("If-Match", "if_match"))
    return int(match[1])


@dataclass(slots=True)
class _Mentions:
    """What a body names, by kind, and where."""

    places: dict[type[Field], dict[str, list[str]]] = field(default_factory=dict)
    cases: list[tuple[CaseRef, str, str]] = field(default_factory=list)

    def note(self, marker: Field, place: str, value: Any) -> Any:
        if isinstance(marker, CaseRef):
            self.cases.append((marker, place, value))
        elif isinstance(marker, Somebody | Introduced):
            if isinstance(value, str) and not _SOMEBODY.fullmatch(value):
                self.places.setdefault(Person, {}).setdefault(value, []).append(place)
        elif isinstance(marker, _LOOKED_UP) and isinstance(value, str):
            self.places.setdefault(type(marker), {}).setdefault(value, []).append(place)
        return value

    def of(self, kind: type[Field]) -> dict[str, list[str]]:
        return self.places.get(kind, {})


_LOOKED_UP = (Organization, Community, Person, Category, Attachment, PolicyPack)
_UNKNOWN = {
    Organization: "unknown_organization",
    Community: "unknown_community",
    Person: "unknown_person",
    Category: "unknown_category",
    Attachment: "unknown_attachment",
    PolicyPack: "unknown_pack",
}


@dataclass(frozen=True, slots=True)
class Door:
    """Where commands come in; `reads` and `people` say what exists, `sealing` seals what is private."""

    reads: Reads
    people: People
    sealing: Sealing
    processes: Mapping[str, Process[Any]]
    """By singular name, for references to cases."""
    secret: bytes = b""
    """Keys the references of people without an account."""

    async def envelope(
        self,
        letter: Letter,
        *,
        actor: Actor,
        case_id: str,
        key: str,
        categories: Mapping[str, Any],
        version: int | None = None,
        facts: Mapping[str, Any] | None = None,
        case: Case[Any] | None = None,
    ) -> Envelope:
        """Look up what the letter names, take out what is private, and close the envelope.

        `case` is the one that the letter is about, where it exists: what the command's rule needs to know is asked
        about it.
        Raises `Invalid` naming each field that names something that does not exist for this caller.
        """
        shape = letter.form.shape
        mentions = _Mentions()
        visit(shape, letter.values, mentions.note)
        organizations = await self.people.organizations(mentions.of(Organization))
        known: dict[type[Field], Mapping[str, Any]] = {
            Organization: organizations,
            Community: await self.people.communities(mentions.of(Community)),
            Category: categories,
            PolicyPack: {name: load(name) for name in mentions.of(PolicyPack) if name in available()},
        }
        accounts: Mapping[str, Actor] = {}
        if usernames := {*mentions.of(Person), *filter(None, [letter.on_behalf_of])}:
            accounts = await self.people.by_username(usernames)
        known[Person] = accounts
        if mentioned := mentions.of(Attachment):
            known[Attachment] = dict.fromkeys(await self.reads.attachments(mentioned, actor))
        wrong = [
            Fault(place, _UNKNOWN[kind], {"value": value})
            for kind, values in mentions.places.items()
            for value, places in values.items()
            if value not in known[kind]
            for place in places
        ]
        if letter.on_behalf_of is not None and letter.on_behalf_of not in accounts:
            wrong.append(Fault("on_behalf_of", "unknown_person", {"value": letter.on_behalf_of}))
        cases = {place: await self._case(actor, marker, value) for marker, place, value in mentions.cases}
        for _, place, value in mentions.cases:
            found = cases[place]
            if found is None:
                wrong.append(Fault(place, "unknown_case", {"value": value}))
        if wrong:
            raise Invalid(*wrong)
        texts: dict[str, Any] = {}
        contacts: dict[str, Any] = {}

        def replace(marker: Field, place: str, value: Any) -> Any:
            if isinstance(marker, Prose) and value != "":
                ref = f"text:{_ref(key, place)}"
                texts[ref] = value
                return ref
            if isinstance(marker, Somebody | Introduced) and isinstance(value, str):
                return accounts[value].id if value in accounts else value
            if isinstance(marker, Introduced):
                ref = f"contact:{self._same(case_id, value)}"
                contacts[ref] = value
                return ref
            if isinstance(marker, Contact):
                ref = f"contact:{_ref(key, place)}"
                contacts[ref] = value
                return ref
            if isinstance(marker, Person):
                return accounts[value].id
            if isinstance(marker, CaseRef):
                return (cases[place] or {})["id"]
            return value

        fields = visit(shape, letter.values, replace)
        sealed = {name: values for name, values in (("texts", texts), ("contacts", contacts)) if values}
        return Envelope(
            command=letter.form.name,
            fields=fields,
            actor=actor,
            key=key,
            body_hash=letter.body_hash,
            acting_role=letter.acting_role,
            acting_org=letter.acting_org,
            on_behalf_of=accounts[letter.on_behalf_of].id if letter.on_behalf_of else None,
            expected_version=version,
            facts={
                **(facts or {}),
                **_org_facts(organizations),
                **await self._pack_facts(known[PolicyPack]),
                **cases,
                **await self._answers(letter.form.needs, fields, actor, case),
            },
            sealed=self.sealing.seal(sealed, case_id) if sealed else "",
        )

    async def _answers(
        self, needs: tuple[str, ...], about: Mapping[str, Any], actor: Actor, case: Case[Any] | None
    ) -> dict[str, Any]:
        """What the rule of a command must know of other cases and of master data, as it stands now."""
        now = datetime.now(UTC)
        return {
            name: await self.reads.answer(Asked(name=name, about=about, now=now, actor=actor, case=case))
            for name in needs
        }

    def _same(self, case_id: str, contact: Mapping[str, Any]) -> str:
        """What tells one person from another on a case, and nothing to anybody who does not know the secret."""
        name = "".join(str(contact["name"]).split())
        phone = "".join(filter(str.isdigit, str(contact.get("phone") or "")))
        return hashlib.blake2b(f"{case_id}|{name}|{phone}".encode(), key=self.secret[:64], digest_size=8).hexdigest()

    async def _pack_facts(self, packs: Mapping[str, Any]) -> dict[str, Any]:
        """What the rules must know of the pack that a command names: its pin, and whether a drill may be run here."""
        for pack in packs.values():
            return {
                "pack": {
                    "pack": pack.pack,
                    "version": pack.version,
                    "sha": pack.sha,
                    "scaled": pack.scale is not None,
                    "demonstration": await self.people.is_demonstration(),
                }
            }
        return {}

    async def _case(self, actor: Actor, marker: CaseRef, value: str) -> dict[str, Any] | None:
        """What the rules may know of a case that a command names; None when the caller may not know of it."""
        found: Known | None = None
        for name in [marker.process] if marker.process else self.processes:
            found = found or await self.reads.known(actor, self.processes[name], value)
        if found is None:
            return None
        case = found.case
        return {
            "id": case.id,
            "process": case.process,
            "community": case.community,
            "state": case.state,
            "phase": case.phase,
            "closed": case.closed_at is not None,
            "number": case.number,
            "title": case.title,
            "lead_org": getattr(case.data, "lead_org", None),
        }


def check_masked(process: Process[Any], letter: Letter) -> None:
    """Refuse a text for everybody that holds a phone, identity or room number, naming the place (S23)."""
    shape = letter.form.shape
    names = {spot.name for spot in shape.spots if isinstance(spot.marker, Prose) and spot.marker.public}
    if hasattr(letter.form.command, "public_fields"):
        stub = visit(shape, letter.values, _stub)
        names.update(command_of(process, letter.form.name, stub).public_fields)
    places = [
        Fault(
            spot.wire,
            "not_masked",
            {"start": found.start + 1, "kind": found.kind.value, "sample": found.sample_masked},
        )
        for spot in shape.spots
        if spot.name in names and isinstance(letter.values.get(spot.name), str)
        for found in find(letter.values[spot.name])
    ]
    if places:
        refusal = GuardFailed("TEXT_NOT_MASKED", clause="processes §0.7")
        refusal.faults = tuple(places)  # type: ignore[attr-defined]  # errors.py names them in the answer
        raise refusal


def start_facts(actor: Actor) -> dict[str, Any]:
    """What the rules must know of who starts a case."""
    return {"is_resident": any(grant.role == Role.RESIDENT for grant in actor.grants)}


def _stub(marker: Field, place: str, value: Any) -> Any:
    return "text:" + "0" * 16 if isinstance(marker, Prose | Contact) else value


def _org_facts(organizations: Mapping[str, Org]) -> dict[str, Any]:
    if not organizations:
        return {}
    return {
        "organizations": {
            code: {"type": org.org_type, "level": org.level, "region": org.region_code}
            for code, org in organizations.items()
        }
    }


def _ref(key: str, place: str) -> str:
    return hashlib.blake2b(f"{key}|{place}".encode(), digest_size=8).hexdigest()


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"|".join(parts)).hexdigest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(one) for one in value]
    return value
