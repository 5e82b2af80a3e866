"""Markers that the fields of commands carry: their names, limits and what the door must do with them (pure).

A command is a frozen standard dataclass whose fields are annotated:
`reason: Annotated[str, Prose("理由", "Reason")]`. `services` reads the markers once at start and builds the
door's validation and the JSON Schema of `/actions` from them; the rules never look at them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A plain field (字段): Chinese and English title, and its limits.

    `shortest`/`longest` bound the length of a text or a list; `least`/`most` bound a number. `keys` are those that a
    mapping to numbers may have, for pages that ask for each of them.
    """

    zh: str
    en: str
    shortest: int = 0
    longest: int | None = None
    least: float | None = None
    most: float | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prose(Field):
    """Free text or a place (自由文本): may hold personal data, so rules and events only ever see a reference.

    The door puts `text:<16 hex>` in its place and seals the clear value; `record` stores it beside the case.
    `public` text is shown to everybody and must hold no phone, identity or room number (S23).
    """

    shortest: int = 1
    longest: int | None = 2000
    public: bool = False


@dataclass(frozen=True, slots=True)
class Contact(Field):
    """Contact details of a person (联系方式): kept apart from the case, read only with an own right."""


@dataclass(frozen=True, slots=True)
class Somebody(Field):
    """A person, with or without an account (人员): a username, or the id or reference by which a case knows him."""


@dataclass(frozen=True, slots=True)
class Introduced(Contact):
    """A person who may be new (人员或姓名): a username or an id as of `Somebody`, or `{name, phone?}`.

    The door puts in the place of a name a reference that is the same for the same name and phone on the same case, so
    that somebody named twice is one.
    """


@dataclass(frozen=True, slots=True)
class Organization(Field):
    """Code of an organisation (单位代码) that must exist."""


@dataclass(frozen=True, slots=True)
class Community(Field):
    """Twelve-digit code of a community (社区代码) that must exist."""


@dataclass(frozen=True, slots=True)
class Person(Field):
    """Username of a person (人员) that must exist; the door puts the account's id in its place."""


@dataclass(frozen=True, slots=True)
class Category(Field):
    """Code of an issue category (诉求类别) of the pinned policy pack."""


@dataclass(frozen=True, slots=True)
class Attachment(Field):
    """Id of an uploaded attachment (附件) that must exist."""


@dataclass(frozen=True, slots=True)
class CaseRef(Field):
    """Id or number of another case (关联事项): the door adds what is known of it to the facts of the turn."""

    process: str = ""


@dataclass(frozen=True, slots=True)
class PolicyPack(Field):
    """Name of a policy pack (政策包) that this program has: the door adds its version and sha to the facts."""
