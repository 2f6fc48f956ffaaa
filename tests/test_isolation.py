"""No user reaches another user's anything: what is not yours is 404."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.clients import Api

EXTRACTION = [f"extraction/{name}/" for name in ("extractions", "schemas", "batches", "evaluations")]
METHODS = ("GET", "POST", "PATCH", "DELETE", "PUT")


@pytest.fixture
def theirs(other: Api, png: bytes) -> dict[str, str]:
    """Ids of all that another user has."""
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    conversation = other.conversation(title="secret words")
    turn = other.ask([{"type": "image", "source": source}, {"type": "text", "text": "secret words"}], conversation)
    first = other.get(f"conversations/{conversation}/messages/").json()["results"][0]
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    named = other.post("extraction/schemas/", {"name": "secret", "json_schema": schema}).json()
    extraction = other.post("extraction/extractions/?wait=true", {"schema": schema, "content": "Jane"}).json()
    items = [{"key": "a", "content": "Jane"}]
    batch = other.post("extraction/batches/", {"schema": schema, "items": items}).json()
    expected = [{"content": "Jane", "expected": {"name": "Jane"}}]
    evaluation = other.post("extraction/evaluations/", {"items": expected, "runs": [{"schema": schema}]}).json()
    return {
        "conversation": conversation,
        "turn": turn["id"],
        "message": first["id"],
        "answer": turn["messages"][0]["id"],
        "attachment": first["content"][0]["source"]["attachment"],
        "extraction": extraction["id"],
        "schema": named["id"],
        "batch": batch["id"],
        "evaluation": evaluation["id"],
    }


def paths_with_ids() -> list[str]:
    """Every path of the API that has an id in it."""
    found: list[str] = []

    def walk(patterns: list[Any], prefix: str) -> None:
        for pattern in patterns:
            path = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern) and path.startswith("api/") and "pk" in path:
                found.append(path)

    walk(get_resolver().url_patterns, "")
    return found


def test_every_path_with_an_id_is_404_for_others(api: Api, theirs: dict[str, str]) -> None:
    paths = paths_with_ids()
    assert len(paths) >= 9
    bodies: dict[str, Any] = {
        "activate": {"leaf": theirs["message"]},
        "feedback": {"rating": 1},
        "fork": {"message": theirs["message"]},
        "turns": {"content": "Hello"},
        "count-tokens": {"content": "Hello"},
        "tool-results": {"results": [{"tool_use_id": "call", "content": "x"}]},
        "review": {"decision": "approved"},
    }
    kinds = {
        "conversations": "conversation",
        "turns": "turn",
        "messages": "message",
        "attachments": "attachment",
        "extractions": "extraction",
        "schemas": "schema",
        "batches": "batch",
        "evaluations": "evaluation",
    }
    for path in paths:
        kind = next(name for name in kinds if f"/{name}/" in path)
        url = path.replace("(?P<index>[0-9]{1,9})", "0")
        for group in ("(?P<pk>[^/.]+)", "<str:pk>"):
            url = url.replace(group, theirs[kinds[kind]])
        body = bodies.get(path.rstrip("/").rsplit("/", 1)[-1], {})
        statuses = {method: api.http.request(method, f"/{url}", json=body).status_code for method in METHODS}
        assert 404 in statuses.values(), (path, statuses)
        assert set(statuses.values()) <= {404, 405}, (path, statuses)


def test_lists_have_only_ones_own(api: Api, theirs: dict[str, str]) -> None:
    for path in ("conversations/", "conversations/?q=secret", *EXTRACTION):
        assert api.get(path).json()["results"] == []


def test_anothers_ids_in_a_body_are_404(api: Api, theirs: dict[str, str]) -> None:
    own = api.conversation()
    image = {"type": "image", "source": {"type": "attachment", "attachment": theirs["attachment"]}}
    for body in (
        {"content": "Hello", "parent": theirs["message"]},
        {"regenerate": theirs["answer"]},
        {"content": [image]},
    ):
        response = api.post(f"conversations/{own}/turns/", body)
        assert (response.status_code, response.json()["error"]["type"]) == (404, "not_found_error"), body
    assert api.post(f"conversations/{own}/activate/", {"leaf": theirs["message"]}).status_code == 404
    assert api.get(f"conversations/{own}/messages/?leaf={theirs['message']}").status_code == 404
    assert api.get(f"conversations/{own}/turns/").json()["results"] == []


def test_every_socket_command_with_anothers_id_is_not_found(api: Api, theirs: dict[str, str]) -> None:
    with api.socket() as socket:
        commands: dict[str, dict[str, Any]] = {
            "turn.create": {"conversation": theirs["conversation"], "content": "Hello"},
            "turn.follow": {"turn": theirs["turn"], "after": 0},
            "turn.unfollow": {"turn": theirs["turn"]},
            "turn.cancel": {"turn": theirs["turn"]},
            "turn.tool_results": {"turn": theirs["turn"], "results": [{"tool_use_id": "call", "content": "x"}]},
            "conversation.follow": {"conversation": theirs["conversation"]},
        }
        for type, body in commands.items():
            socket.send(type=type, ref=type, **body)
            frame = socket.receive()
            assert (frame["type"], frame["ref"]) == ("error", type)
            assert frame["error"]["type"] == "not_found_error"


def test_without_credentials_nothing_opens(api: Api) -> None:
    for path in ("conversations/", "me/", "extraction/extractions/"):
        response = api.get(path, headers={"Authorization": "Bearer nonsense"})
        assert response.status_code == 401
        assert response.json()["error"]["type"] == "authentication_error"
        assert response.json()["request_id"] == response.headers["request-id"]


@pytest.mark.parametrize("form", ["{{{}}}", "urn:uuid:{}", "bare"])
def test_an_id_in_a_path_has_one_form(api: Api, form: str) -> None:
    id = api.conversation()
    written = id.replace("-", "") if form == "bare" else form.format(id)
    response = api.get(f"conversations/{written}/")
    assert (response.status_code, response.json()["error"]["type"]) == (404, "not_found_error")
    assert api.get(f"conversations/{id.upper()}/").status_code == 200
