"""Schemas have names and immutable numbered versions; errors in a schema are reported when it is created."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Api

PRICE: dict[str, Any] = {
    "type": "object",
    "properties": {"price": {"type": "number", "minimum": 0}},
    "required": ["price"],
    "additionalProperties": False,
}


def add(api: Api, name: str = "price", json_schema: Any = PRICE, **fields: Any) -> dict[str, Any]:
    response = api.post("extraction/schemas/", {"name": name, "json_schema": json_schema, **fields})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def listed(api: Api, path: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"extraction/schemas/{path}").json()["results"]
    return found


def test_the_same_name_again_is_the_next_version(api: Api) -> None:
    first = add(api)
    second = add(api, json_schema={**PRICE, "description": "In euros."}, instructions="Without tax.")
    assert [(each["name"], each["version"]) for each in (first, second)] == [("price", 1), ("price", 2)]
    assert first["native"]
    assert first["notes"] == ["/properties/price: minimum: 0"]
    assert listed(api) == [second]
    assert listed(api, f"{first['id']}/versions/") == [second, first]
    assert api.get(f"extraction/schemas/{first['id']}/").json() == first


def test_a_hidden_name_is_only_left_out_of_lists(api: Api) -> None:
    found = add(api)
    assert api.http.delete(f"/api/extraction/schemas/{found['id']}/").status_code == 204
    assert listed(api) == []
    assert api.get(f"extraction/schemas/{found['id']}/").json() == found
    for named in (found["id"], "price", "price@1"):
        body = {"schema": named, "content": "It is 7.50"}
        begun = api.post("extraction/extractions/", body).json()
        assert begun["schema_version"] == {key: found[key] for key in ("id", "name", "version")}
    assert api.post("extraction/extractions/", {"schema": "price@2", "content": "7"}).status_code == 404
    assert len(api.get("extraction/extractions/?schema=price").json()["results"]) == 3
    assert add(api)["version"] == 2
    assert [each["version"] for each in listed(api)] == [2]


def test_numbers_in_a_schema_keep_their_digits(api: Api) -> None:
    exact = '{"name": "exact", "json_schema": {"const": 12345678901234567.89}}'
    response = api.http.post("/api/extraction/schemas/", content=exact, headers={"Content-Type": "application/json"})
    assert '"json_schema":{"const":12345678901234567.89}' in response.text


def test_what_claude_is_told_along_with_a_schema_is_sent(api: Api, sandbox: Any) -> None:
    add(api, instructions="Without tax.", examples=[{"content": "Seven euros", "data": {"price": 7}}])
    api.post("extraction/extractions/?wait=true", {"schema": "price", "content": f"7.50 for {api.user.pk}"})
    [body] = [each.body for each in sandbox.requests if str(api.user.pk) in str(each.body)]
    assert "Without tax." in body["system"]
    assert "Seven euros" in body["system"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": "a@1"}, "name"),
        ({"name": "01a22340-0455-72a9-88f7-932f7d2ce2a3"}, "name"),
        ({"json_schema": {"properties": {"a": {"type": "nonsense"}}}}, "json_schema.properties.a.type"),
        ({"examples": [{"content": "x", "data": {"price": "seven"}}]}, "examples.0.data.price"),
        ({"examples": [{"content": "x"}]}, "examples"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(api: Api, fields: dict[str, Any], place: str) -> None:
    response = api.post("extraction/schemas/", {"name": "price", "json_schema": PRICE, **fields})
    assert response.status_code == 400, response.text
    assert place in response.json()["error"]["details"]
    assert listed(api) == []
