"""Say everything that people read in their own language: Chinese first, English as its twin."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("zh", "en")
DEFAULT = "zh"
TAGS = {"zh": "zh-CN", "en": "en"}

Words = Mapping[str, str]


class _Blanks(dict[str, object]):
    """Values of a sentence; one that nobody gave stays visible as its name instead of hiding the sentence."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every sentence by language, table and key, as the files `zh.toml` and `en.toml` hold them."""

    words: Mapping[str, Mapping[str, Words]] = field(repr=False)

    def has(self, table: str, key: str, language: str = DEFAULT) -> bool:
        """Say whether there is a sentence."""
        return key in self.words[language].get(table, {})

    def say(self, table: str, key: str, language: str, /, **values: Any) -> str:
        """Give a sentence with its blanks filled; a key without a sentence is given back as it is."""
        sentence = self.words[language].get(table, {}).get(key)
        return key if sentence is None else sentence.format_map(_Blanks(values))

    def keys(self, table: str, language: str = DEFAULT) -> frozenset[str]:
        """Give the keys of a table."""
        return frozenset(self.words[language].get(table, {}))


@cache
def catalogue() -> Catalogue:
    """Read the sentences that ship with the program."""
    folder = files("services.texts")
    return Catalogue(
        {language: tomllib.loads(folder.joinpath(f"{language}.toml").read_text("utf-8")) for language in LANGUAGES}
    )


def choose(accept_language: str | None) -> str:
    """Choose `zh` or `en` by an Accept-Language header; Chinese when neither is asked for."""
    best, weight = DEFAULT, 0.0
    for part in (accept_language or "")[:200].split(","):
        tag, _, quality = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        try:
            wanted = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and wanted > weight:
            best, weight = language, wanted
    return best
