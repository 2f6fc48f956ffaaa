"""Conversations have tags and metadata by which they are filtered; usage can be summed up by tag."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Api


def made(api: Api, **fields: Any) -> str:
    response = api.post("conversations/", fields)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def found(api: Api, **query: str) -> list[str]:
    response = api.get("conversations/", params={"ordering": "created_at", **query})
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()["results"]]


def test_tags_are_kept_in_their_order_each_once(api: Api) -> None:
    id = made(api, tags=["tea", "東京", "tea", "a b"])
    assert api.get(f"conversations/{id}/").json()["tags"] == ["tea", "東京", "a b"]
    assert api.http.patch(f"/api/conversations/{id}/", json={"tags": ["coffee"]}).json()["tags"] == ["coffee"]
    assert api.get("conversations/").json()["results"][0]["tags"] == ["coffee"]
    assert api.get(f"conversations/{made(api)}/").json()["tags"] == []


MANY = [str(number) for number in range(51)]


@pytest.mark.parametrize("tags", ["tea", [""], [1], ["x" * 101], ["x\0"], [None], [["tea"]], MANY])
def test_what_is_no_list_of_tags_is_refused(api: Api, tags: Any) -> None:
    response = api.post("conversations/", {"tags": tags})
    assert response.status_code == 400
    assert next(iter(response.json()["error"]["details"])).startswith("tags")


def test_a_list_has_the_conversations_with_a_tag(api: Api, other: Api) -> None:
    made(other, tags=["tea"])
    green, black, _ = made(api, tags=["tea", "green"]), made(api, tags=["tea"], archived=True), made(api, tags=["Tea"])
    assert found(api, tag="tea") == [green, black]
    assert found(api, tag="tea", archived="false") == [green]
    assert found(api, tag="green") == [green]
    assert found(api, tag="te") == []


def test_a_list_has_the_conversations_with_values_in_metadata(api: Api) -> None:
    first = made(api, title="Oolong", metadata={"team": "blue", "level": 7, "done": True, "a.b": "c"})
    made(api, title="Oolong", metadata={"team": "red", "level": 7})
    assert found(api, **{"metadata.team": "blue"}) == [first]
    assert found(api, **{"metadata.level": "7", "metadata.done": "true"}) == [first]
    assert found(api, **{"metadata.a.b": "c"}) == [first]
    assert found(api, **{"metadata.team": "blue", "q": "Oolong"}) == [first]
    assert found(api, **{"metadata.missing": ""}) == []


def test_pages_keep_to_what_was_asked(api: Api) -> None:
    ids = [made(api, tags=["tea"], metadata={"n": 1}) for _ in range(3)]
    made(api)
    seen, path = [], "conversations/?tag=tea&metadata.n=1&page_size=1&ordering=created_at"
    while path:
        page = api.http.get(path if path.startswith("http") else f"/api/{path}").json()
        seen += [each["id"] for each in page["results"]]
        path = page["next"]
    assert seen == ids


LONG = f"metadata.{'k' * 501}=1"


@pytest.mark.parametrize("query", ["metadata.=x", "metadata.a=1&metadata.a=2", LONG, "metadata.a=%00"])
def test_a_malformed_filter_is_refused(api: Api, query: str) -> None:
    response = api.get(f"conversations/?{query}")
    assert response.status_code == 400
    assert next(iter(response.json()["error"]["details"])).startswith("metadata.")


def test_usage_is_summed_up_by_tag(api: Api) -> None:
    for tags in (["tea", "green"], ["tea"], []):
        api.ask("Hello", made(api, tags=tags))
    sums = api.get("usage/?group_by=tag,model").json()
    by_tag = {row["tag"]: row["requests"] for row in sums["results"]}
    assert by_tag == {"green": 1, "tea": 2, None: 1}
    assert all(row["model"] for row in sums["results"])
    assert sums["total"]["requests"] == 3


def test_a_copy_has_the_tags(api: Api) -> None:
    id = made(api, tags=["tea"])
    turn = api.ask("Hello", id)
    assert api.post(f"conversations/{id}/fork/", {"message": turn["user_message"]}).json()["tags"] == ["tea"]
    exported = api.get(f"conversations/{id}/export/").json()
    assert api.post("conversations/import/", exported).json()["tags"] == ["tea"]
