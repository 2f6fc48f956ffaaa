"""Projects of claude.ai give conversations their instructions; the report names what can't be imported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conversations.archives.detecting import left_out
from tests.archives.converting import importing, of_claude
from tests.archives.importing import imported
from tests.archives.samples import claude_conversation, said, zipped
from tests.clients import Api


def project(id: str = "p-1", *documents: str, **more: Any) -> dict[str, Any]:
    docs = [{"uuid": "d", "filename": name, "content": "x"} for name in documents]
    return {"uuid": id, "name": "Tea", "prompt_template": " Be brief. ", "docs": docs, **more}


def conversation(**more: Any) -> dict[str, Any]:
    return claude_conversation("c", said("a", None, "human", "Hello"), **more)


IN_PROJECT = {"by its id": {"project_uuid": "p-1"}, "by an object": {"project": {"uuid": "p-1", "name": "Tea"}}}
PLACES: dict[str, dict[str, Any]] = {
    "a list": {"projects.json": [project("p-0", prompt_template="No"), project()]},
    "a file each": {"projects/0.json": project("p-0", prompt_template="No"), "projects/1.json": project()},
    "in a folder": {"data-2026/projects.json": [project()]},
}


@pytest.mark.parametrize("files", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("named", IN_PROJECT.values(), ids=IN_PROJECT)
def test_the_instructions_of_a_project_are_those_of_its_conversations(
    files: dict[str, Any], named: dict[str, Any]
) -> None:
    line, _ = of_claude(conversation(**named), files)
    assert line["conversation"]["system"] == "Be brief."
    assert line["conversation"]["metadata"]["project"] == "Tea"


@pytest.mark.parametrize(
    "more", [{}, {"project_uuid": "p-2"}, {"project": None}, {"project": "p-1"}, {"project_uuid": ["p-1"]}], ids=str
)
def test_a_conversation_in_no_project_that_is_there_has_none(more: dict[str, Any]) -> None:
    line, _ = of_claude(conversation(**more), {"projects.json": [project()]})
    assert "system" not in line["conversation"]
    assert "project" not in line["conversation"]["metadata"]


def test_a_project_without_instructions_or_name_adds_nothing() -> None:
    line, _ = of_claude(conversation(project_uuid="p-1"), {"projects.json": [{"uuid": "p-1", "docs": [5]}]})
    assert "system" not in line["conversation"]
    assert line["conversation"]["metadata"] == {"source": "claude.ai", "project_uuid": "p-1"}


LEFT_OUT: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "nothing": ({"users.json": [], "projects.json": [project()]}, []),
    "documents": (
        {"projects.json": [project("p-1", "a.txt", "b.md"), project("p-2", "c.md", name="")]},
        [
            ("projects (Tea)", "Its documents are left out: a.txt, b.md."),
            ("projects (p-2)", "Its documents are left out: c.md."),
        ],
    ),
    "many documents": (
        {"projects.json": [project("p-1", *"abcdefgh")]},
        [("projects (Tea)", "Its documents are left out: a, b, c, d, e and 3 more.")],
    ),
    "five documents": (
        {"projects.json": [project("p-1", *"abcde")]},
        [("projects (Tea)", "Its documents are left out: a, b, c, d, e.")],
    ),
    "memories": ({"memories.json": [{}]}, [("memories.json", "What Claude remembered of you is left out.")]),
    "feedback in a folder": (
        {"export/message_feedback.json": []},
        [("message_feedback.json", "Feedback on messages is left out.")],
    ),
    "group chats": ({"group_chats.json": {}}, [("group_chats.json", "Group chats are left out.")]),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_has_no_place_here_is_named(name: str) -> None:
    files, told = LEFT_OUT[name]
    assert list(left_out(importing("claude.ai", files), {})) == told


@pytest.mark.parametrize("broken", ['[{"uuid": "p", ', '[{"uuid": 1e999}, {"uuid": "p-1"}]', '[{"a": nothing}]'])
def test_projects_that_cannot_be_read_do_not_keep_the_conversations(broken: str) -> None:
    found = importing("claude.ai", {"projects.json": broken, "projects/1.json": project()})
    [(place, told)] = left_out(found, {})
    assert place == "projects.json"
    assert told.startswith("The projects in it are left out: ")
    assert list(found.projects.by_id) == ["p-1"]


def test_of_our_own_archives_nothing_is_left_out() -> None:
    files = {"manifest.json": {"lines": {}}, "memories.json": [], "projects.json": [project("p", "a")]}
    assert list(left_out(importing("colloquy", files), {"conversations.jsonl": 1})) == []


def test_the_report_begins_with_what_is_left_out(api: Api) -> None:
    files = {"conversations.json": [conversation(project_uuid="p-1")], "projects.json": [project("p-1", "a.txt")]}
    done = imported(api, zipped(files))
    assert done["problems"] == [{"entry": "projects (Tea)", "message": "Its documents are left out: a.txt."}]
    assert (done["total"], done["done"], done["failed"]) == (1, 1, 0)
    assert [each["system"] for each in api.get("conversations/").json()["results"]] == ["Be brief."]


def test_values_between_conversations_are_counted_in_the_report(api: Api) -> None:
    body = json.dumps(["Tea", None, conversation(), 5, {"conversations": "none"}, True]).encode()
    done = imported(api, body, "application/json")
    assert (done["conversations"], done["total"], done["done"]) == (1, 2, 2)
    told = {"entry": "conversations.json", "message": "Values that are left out, since they are no objects: 4."}
    assert done["problems"][0] == told


def test_a_list_in_an_object_is_imported(api: Api) -> None:
    body = json.dumps({"account": {"email": "a@b.c"}, "conversations": [conversation()]}).encode()
    done = imported(api, body, "application/json")
    assert (done["source"], done["conversations"], done["messages"], done["failed"]) == ("claude.ai", 1, 1, 0)
