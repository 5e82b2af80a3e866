"""The description of the API is complete and true, and its pages load nothing from elsewhere."""

import json
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.api.actions import forms
from workflows.issue.process import ISSUE


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, one) for path, methods in document["paths"].items() for method, one in methods.items()]


async def test_it_is_openapi_31_at_the_root_and_beside_the_api(client: httpx.AsyncClient) -> None:
    for path in ("http://test/openapi.json", "/openapi.json"):
        answer = await client.get(path)
        assert answer.json()["openapi"].startswith("3.1")


def test_every_command_has_a_path_a_body_and_an_example_of_its_own(document: dict[str, Any]) -> None:
    for name in forms(ISSUE):
        operation = document["paths"][f"/api/v1/issues/{{key}}/commands/{name}"]["post"]
        content = operation["requestBody"]["content"]["application/json"]
        assert content["schema"] == {"$ref": f"#/components/schemas/issue.{name}"}
        assert "example" in content


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        node: Any = document
        for part in reference.split("/"):
            node = node[part]
        assert node


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400" and "/health/" not in path:
                assert answer == {"$ref": f"#/components/responses/{status}"}, path
    for answer in document["components"]["responses"].values():
        assert list(answer["content"]) == ["application/problem+json"]


def test_whoever_must_sign_in_is_told_so(document: dict[str, Any]) -> None:
    free = {path for path, _, operation in operations(document) if "security" not in operation}

    assert free == {
        "/api/v1/health/live", "/api/v1/health/ready", "/api/v1/auth/token", "/api/v1/metrics",
        "/api/v1/public/issues/{issue_no}", "/api/v1/public/issues/{issue_no}/rating",
        "/api/v1/public/communities/{community_id}/board", "/api/v1/public/documents/{number}",
    }  # fmt: skip
    for path, _, operation in operations(document):
        assert ("401" in operation["responses"]) == ("security" in operation or path.endswith("/auth/token")), path


def test_nothing_of_ours_leaks_into_the_document(document: dict[str, Any]) -> None:
    text = json.dumps(document)

    assert '"x-form"' not in text
    assert '"x-answer"' not in text
    assert '"x-title-en"' not in text


async def test_the_pages_of_the_docs_load_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("http://test/docs")

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for name in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert "//" not in name
        assert (await client.get(f"http://test/{name}")).status_code == 200


async def test_figures_are_given_to_prometheus_without_addresses(client: httpx.AsyncClient) -> None:
    await client.get("/public/issues/secret-number?check_code=ABCDEF")

    answer = await client.get("/metrics")

    assert "shangliang_http_requests_total" in answer.text
    assert "secret-number" not in answer.text
    assert "ABCDEF" not in answer.text


async def test_health_tells_the_truth(client: httpx.AsyncClient, twin: Any) -> None:
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 200
    twin.away = True
    assert (await client.get("/health/ready")).status_code == 503
