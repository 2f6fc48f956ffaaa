"""Users rate messages and comment on them, and exports contain that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Api


@pytest.fixture
def answer(api: Api) -> str:
    """Provide the id of an answer of Claude's."""
    return str(api.ask("Hello")["messages"][0]["id"])


def rate(api: Api, message: str, **fields: Any) -> Any:
    return api.http.put(f"/api/messages/{message}/feedback/", json=fields)


def test_feedback_is_kept_replaced_and_taken_back(api: Api, answer: str) -> None:
    path = f"messages/{answer}/feedback/"
    none = {"message": answer, "rating": None, "comment": "", "updated_at": None}
    assert api.get(path).json() == none
    up = rate(api, answer, rating=1).json()
    assert {**up, "updated_at": None} == {**none, "rating": 1}
    assert up["updated_at"]
    assert rate(api, answer, rating=-1, comment="Too long").json() == api.get(path).json()
    assert (api.get(path).json()["rating"], api.get(path).json()["comment"]) == (-1, "Too long")
    assert rate(api, answer, rating=None, comment="Hm").json()["rating"] is None
    assert rate(api, answer, rating=None).json() == none
    assert api.get(path).json() == none


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"rating": 0},
        {"rating": "1"},
        {"rating": True},
        {"rating": 1.0},
        {"rating": 1, "comment": None},
        {"rating": 1, "comment": "x" * 10_001},
        {"rating": 1, "comment": "\0"},
        {"rating": 1, "stars": 5},
    ],
)
def test_anything_else_is_refused(api: Api, answer: str, fields: dict[str, Any]) -> None:
    assert rate(api, answer, **fields).status_code == 400


def test_anothers_message_is_not_there(other: Api, answer: str) -> None:
    assert rate(other, answer, rating=1).status_code == 404
    assert other.get(f"messages/{answer}/feedback/").status_code == 404
    assert rate(other, "no-id", rating=1).status_code == 404


def test_an_export_has_it_and_an_import_keeps_it(api: Api) -> None:
    turn = api.ask("Hello")
    rate(api, turn["messages"][0]["id"], rating=-1, comment="Wrong")
    exported = api.get(f"conversations/{turn['conversation']}/export/").json()
    assert [each["feedback"] for each in exported["messages"]] == [None, {"rating": -1, "comment": "Wrong"}]
    copy = api.post("conversations/import/", exported).json()["id"]
    [_, message] = api.get(f"conversations/{copy}/messages/").json()["results"]
    assert api.get(f"messages/{message['id']}/feedback/").json()["comment"] == "Wrong"
