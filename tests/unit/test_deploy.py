"""What deploy/ tells people must be what the program reads."""

import re
from pathlib import Path

import pytest

from services.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
KNOWN = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
# Values of the composition itself, which no program of ours reads.
COMPOSITION = {f"{PREFIX}VERSION", f"{PREFIX}DATABASE_PASSWORD", f"{PREFIX}APPLICATION_PASSWORD"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_named_is_one_that_is_read(path: Path) -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", path.read_text()))

    assert named - KNOWN - COMPOSITION == set()


def test_both_languages_name_the_same_variables_and_commands() -> None:
    english, chinese = ((DEPLOY / name).read_text() for name in ("README.md", "README.zh.md"))
    pattern = rf"{PREFIX}[A-Z_]+|--[a-z-]+|pg_[a-z]+|shangliang [a-z]+|^#+ |systemd/[\w.*@-]+"

    assert sorted(re.findall(pattern, english, re.M)) == sorted(re.findall(pattern, chinese, re.M))


def test_every_image_is_pinned() -> None:
    images = re.findall(r"image: (\S+)", (DEPLOY / "compose" / "compose.yaml").read_text())
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.M)

    assert images
    assert [image for image in images if not re.search(r":(\$\{\w+:-)?\d+\.\d+", image)] == []


@pytest.mark.parametrize("path", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda path: path.name)
def test_every_unit_runs_without_rights_and_as_a_user_of_its_own(path: Path) -> None:
    lines = set(path.read_text().splitlines())

    assert {"User=shangliang", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="} <= lines


def test_what_the_api_counts_is_what_the_alerts_ask_for() -> None:
    asked = set(re.findall(r"\bshangliang_\w+", (DEPLOY / "prometheus" / "alerts.yaml").read_text()))

    assert asked == {
        "shangliang_http_requests_total",
        "shangliang_http_request_seconds_bucket",
        "shangliang_outbox_oldest_seconds",
        "shangliang_deliveries",
    }
