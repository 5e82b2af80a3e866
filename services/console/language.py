"""The words of the console: Chinese in the templates, English beside it in `locale/en/*.po` (语言)."""

import io
from functools import cache
from importlib.resources import files

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = ("zh", "en")
TAGS = {"zh": "zh-CN", "en": "en"}


@cache
def translations(language: str) -> NullTranslations:
    """The words of a language; Chinese ones are those of the templates themselves."""
    found = Translations()
    if language == "zh":
        return NullTranslations()
    for one in sorted(files("services.console").joinpath("locale", language).iterdir(), key=lambda file: file.name):
        if one.name.endswith(".po"):
            packed = io.BytesIO()
            write_mo(packed, read_po(io.BytesIO(one.read_bytes()), locale=language))
            packed.seek(0)
            found.merge(Translations(packed))
    return found


def chosen(cookie: str | None, accepted: str | None) -> str:
    """The reader's language: as he chose, else as his browser says, else Chinese."""
    if cookie in LANGUAGES:
        return cookie
    first = (accepted or "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"
