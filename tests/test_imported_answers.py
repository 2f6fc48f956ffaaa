"""An imported answer is kept unchanged, and whatever it contains, its conversation can be continued."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Api

TEXT = {"type": "text", "text": "Hello"}
CALL = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tea"}}

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "a kind that nobody knows": [TEXT, {"type": "hologram", "light": 1}],
    "nothing but such a kind": [{"type": "hologram", "light": 1}],
    "a field that nobody knows": [{**TEXT, "colour": "red"}],
    "another conversation's container": [TEXT, {"type": "container_upload", "file_id": "file_1"}],
    "a result of a tool that nobody knows": [
        TEXT,
        CALL,
        {"type": "dream_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
    ],
    "a call over MCP without its server": [
        TEXT,
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "f", "input": {}},
    ],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_conversation_goes_on_after_it(api: Api, name: str) -> None:
    question = {"id": "a", "parent": None, "role": "user", "content": [TEXT]}
    answer = {"id": "b", "parent": "a", "role": "assistant", "content": ANSWERS[name], "stop_reason": "end_turn"}
    body = {"format": "colloquy/1", "conversation": {}, "messages": [question, answer], "active_leaf": "b"}
    response = api.post("conversations/import/", body)
    assert response.status_code == 201, response.text
    id = response.json()["id"]
    assert api.get(f"conversations/{id}/messages/").json()["results"][1]["content"] == ANSWERS[name]
    assert api.ask("And now?", id)["status"] == "completed"
