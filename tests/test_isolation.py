"""No user can reach another user's data: all requests for it get 404."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from conversations.models import ArchiveImport
from tests.clients import Api

EXTRACTION = [f"extraction/{name}/" for name in ("extractions", "schemas", "batches", "evaluations")]
METHODS = ("GET", "POST", "PATCH", "DELETE", "PUT")


@pytest.fixture
def theirs(other: Api, png: bytes) -> dict[str, str]:
    """Provide ids of every kind of object that another user has."""
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
        "import": str(ArchiveImport.objects.create(owner=other.user, source="chatgpt", size=1, status="failed").pk),
    }


def paths_with_ids() -> list[str]:
    """Return every path of the API that has an id in it."""
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


BODIES: dict[str, Any] = {
    "feedback": {"rating": 1},
    "turns": {"content": "Hello"},
    "count-tokens": {"content": "Hello"},
    "tool-results": {"results": [{"tool_use_id": "call", "content": "x"}]},
    "review": {"decision": "approved"},
    "shares": {"user": "nobody", "role": "reader"},
}
KINDS = {
    "conversations": "conversation",
    "turns": "turn",
    "messages": "message",
    "attachments": "attachment",
    "extractions": "extraction",
    "schemas": "schema",
    "batches": "batch",
    "evaluations": "evaluation",
    "imports": "import",
}


def statuses_of(api: Api, theirs: dict[str, str]) -> dict[tuple[str, str], int]:
    """Return the status of each method of every path, requested with another user's ids."""
    bodies = {**BODIES, "activate": {"leaf": theirs["message"]}, "fork": {"message": theirs["message"]}}
    statuses = {}
    for path in paths_with_ids():
        kind = next(name for name in KINDS if f"/{name}/" in path)
        url = path.replace("(?P<index>[0-9]{1,9})", "0").replace("<str:share>", theirs["conversation"])
        for group in ("(?P<pk>[^/.]+)", "<str:pk>"):
            url = url.replace(group, theirs[KINDS[kind]])
        body = bodies.get(path.rstrip("/").rsplit("/", 1)[-1], {})
        shown = re.sub(r"\(.*?\)|<.*?>", "{}", path).removeprefix("api/")
        for method in METHODS:
            statuses[method, shown] = api.http.request(method, f"/{url}", json=body).status_code
    return statuses


def test_every_path_with_an_id_is_404_for_others(api: Api, theirs: dict[str, str]) -> None:
    statuses = statuses_of(api, theirs)
    paths = {path for _, path in statuses}
    assert len(paths) >= 9
    for path in paths:
        found = {method: statuses[method, path] for method in METHODS}
        assert 404 in found.values(), (path, found)
        assert set(found.values()) <= {404, 405}, (path, found)


READERS = {
    *(("GET", f"conversations/{{}}/{name}") for name in ("", "messages/", "tree/", "turns/", "usage/", "export/")),
    ("POST", "conversations/{}/fork/"),
    *(("GET", f"turns/{{}}/{name}") for name in ("", "events/")),
    *((method, "messages/{}/feedback/") for method in ("GET", "PUT")),
    ("GET", "attachments/{}/content/"),
}
"""The operations that a reader of a shared conversation may use."""

WRITERS = READERS | {
    *(("POST", f"conversations/{{}}/{name}/") for name in ("activate", "turns", "count-tokens")),
    *(("POST", f"turns/{{}}/{name}/") for name in ("cancel", "tool-results", "continue")),
}


def test_those_who_are_shared_a_conversation_do_what_their_role_says_until_it_is_taken_back(
    api: Api, other: Api, theirs: dict[str, str]
) -> None:
    shares = f"conversations/{theirs['conversation']}/shares/"
    for role, may in (("reader", READERS), ("writer", WRITERS)):
        share = other.post(shares, {"user": api.user.username, "role": role}).json()
        statuses = statuses_of(api, theirs)
        assert {asked for asked, status in statuses.items() if status not in (404, 405)} == may
    assert other.http.delete(f"/api/{shares}{share['id']}/").status_code == 204
    assert set(statuses_of(api, theirs).values()) == {404, 405}
    assert other.get(f"conversations/{theirs['conversation']}/").json()["title"] == "secret words"


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


def test_a_reader_only_follows_over_the_socket(api: Api, other: Api, theirs: dict[str, str]) -> None:
    other.post(f"conversations/{theirs['conversation']}/shares/", {"user": api.user.username, "role": "reader"})
    with api.socket() as socket:
        socket.send(type="turn.follow", ref=1, turn=theirs["turn"], after=0)
        assert {frame["turn"] for frame in socket.until("turn_end")} == {theirs["turn"]}
        refused: dict[str, dict[str, Any]] = {
            "turn.create": {"conversation": theirs["conversation"], "content": "Hello"},
            "turn.cancel": {"turn": theirs["turn"]},
            "turn.tool_results": {"turn": theirs["turn"], "results": [{"tool_use_id": "call", "content": "x"}]},
        }
        for type, body in refused.items():
            socket.send(type=type, ref=type, **body)
            frame = socket.receive()
            assert (frame["type"], frame["ref"], frame["error"]["type"]) == ("error", type, "not_found_error")


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
