"""Only the newest text directs the sandbox, and it invents no data for content that it cannot read."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests import files
from tests.clients import Api

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PDF = {
    "type": "document",
    "source": {
        "type": "base64",
        "media_type": "application/pdf",
        "data": base64.b64encode(files.pdf("")).decode(),
    },
}
TEXT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Ada Lovelace wrote it."}}
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
ASK = {"type": "text", "text": "Extract the name."}


def extracted(api: Api, content: Any) -> dict[str, Any]:
    response = api.post("extraction/extractions/?wait=true", {"schema": SCHEMA, "content": content})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def fails(api: Api, content: str, conversation: str) -> bool:
    return api.post(f"conversations/{conversation}/turns/?wait=true", {"content": content}).is_server_error


def said(turn: dict[str, Any]) -> str:
    return str(turn["messages"][-1]["content"][0]["text"])


@pytest.mark.parametrize("directive", ["error=529; no_retry", "error_after=0:api_error", "cut_after=0"])
def test_a_directive_of_a_failed_turn_does_not_steer_the_next_one(api: Api, directive: str) -> None:
    conversation = api.conversation()
    assert fails(api, f"First [[sandbox: {directive}]]", conversation)
    turn = api.ask("Second", conversation)
    assert turn["status"] == "completed"
    assert "Second" in said(turn)


def test_directives_that_say_so_hold_on_after_a_failed_turn(api: Api) -> None:
    conversation = api.conversation()
    assert fails(api, "First [[sandbox: error=529; no_retry; always]]", conversation)
    assert fails(api, "Second", conversation)
    assert said(api.ask('Third [[sandbox: text="Well."]]', conversation)) == "Well."


@pytest.mark.parametrize("content", [[PDF], [PDF, ASK], [ASK, PDF, TEXT], [IMAGE]])
def test_no_data_are_made_up_from_what_it_cannot_read(api: Api, content: list[Any]) -> None:
    extraction = extracted(api, content)
    assert extraction["status"] == "refused"
    assert extraction["data"] is None
    assert "cannot read PDFs" in extraction["problems"][0]["message"]
    assert len(extraction["attempts"]) == 1


def test_text_in_documents_and_beside_images_is_read(api: Api) -> None:
    for content in ([TEXT, ASK], [IMAGE, {"type": "text", "text": "Ada Lovelace is on it."}]):
        extraction = extracted(api, content)
        assert (extraction["status"], extraction["data"]) == ("succeeded", {"name": "Ada Lovelace"})


def test_it_can_be_told_what_to_find_in_a_pdf(api: Api) -> None:
    told = {"type": "text", "text": '[[sandbox: json="{\\"name\\": \\"Ada\\"}"]]'}
    assert extracted(api, [PDF, told])["data"] == {"name": "Ada"}


def test_in_a_conversation_it_says_that_it_cannot_read_a_pdf(api: Api) -> None:
    turn = api.ask([PDF, {"type": "text", "text": "What does it say?"}])
    assert turn["status"] == "completed"
    assert "I cannot read PDFs" in said(turn)
    assert "cannot read" not in said(api.ask("What does it say?"))
