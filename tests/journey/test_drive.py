"""Every path through the five steps, played over the API, ends where it leads."""

import json

from services.driving.paths import PATHS
from tests.journey.product import Product


def test_every_path_ends_where_it_leads(product: Product) -> None:
    ended = product.run("drive", "--limit", str(len(PATHS)), "--parallel", "8", "--json")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(ended.stdout)
    assert report["errors"] == []
    assert report["paths"] == {path.name: 1 for path in PATHS}
    assert report["red"] >= 1
    assert report["supervisions"] >= 1
    assert report["agendas"]["EXTENDED_PARTY_COMMITTEE RED"] >= 1
    assert {"guard_failed:SEGREGATION", "guard_failed:NOT_HEARD", "guard_failed:VOTE_NOT_PASSED"} <= set(
        report["refusals_on_purpose"]
    )
    assert {measure["name"] for measure in report["measures"]}


def test_the_password_that_up_keeps_is_enough(product: Product) -> None:
    ended = product.run("drive", "--limit", "1", "--path", "declined", "--own", SHANGLIANG_DEMO_PASSWORD="")

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_drive_says_what_it_lacks(product: Product) -> None:
    wrong_password = product.run("drive", "--limit", "1", SHANGLIANG_DEMO_PASSWORD="not this one")
    no_path = product.run("drive", "--path", "nowhere")
    no_api = product.run("drive", "--limit", "1", SHANGLIANG_HOME=str(product.root / "elsewhere"))

    assert [one.returncode for one in (wrong_password, no_path, no_api)] == [1, 2, 1]
    assert not any("Traceback" in one.stderr for one in (wrong_password, no_path, no_api))
