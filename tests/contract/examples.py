"""The examples of the OpenAPI document: requests to a real server, and its responses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from conversations.api.schema import operations
from tests.clients import Api

FILE = Path(operations.__file__).with_name("examples.json")
SCHEMA = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}


def captured(api: Api) -> dict[str, Any]:
    """Send the examples' requests to a server; return requests and responses by the operations' ids."""
    examples: dict[str, Any] = {}

    def ask(operation: str, method: str, path: str, body: Any = None) -> Any:
        response = api.http.request(method, f"/api/{path}", json=body)
        examples[operation] = {"request": body, "status": str(response.status_code), "response": response.json()}
        return response.json()

    settings = {"title": "Tea", "system": "Be brief.", "model": "claude-sonnet-4-6", "max_tokens": 500}
    id = ask("createConversation", "POST", "conversations/", settings)["id"]
    turn = ask("createTurn", "POST", f"conversations/{id}/turns/?wait=true", {"content": "Why is tea green?"})
    ask("getConversation", "GET", f"conversations/{id}/")
    ask("updateConversation", "PATCH", f"conversations/{id}/", {"archived": True})
    ask("listConversations", "GET", "conversations/?q=Tea")
    ask("listMessages", "GET", f"conversations/{id}/messages/")
    ask("getTree", "GET", f"conversations/{id}/tree/")
    ask("countTokens", "POST", f"conversations/{id}/count-tokens/", {"content": "And black tea?"})
    ask("getTurn", "GET", f"turns/{turn['id']}/")
    ask("createSchema", "POST", "extraction/schemas/", {"name": "word", "json_schema": SCHEMA})
    ask("createExtraction", "POST", "extraction/extractions/?wait=true", {"schema": SCHEMA, "content": "Green tea."})
    ask("getUsage", "GET", "usage/?group_by=model")
    ask("listUsageRecords", "GET", "usage/records/?page_size=1")
    return examples


def write(api: Api) -> None:
    """Update the document's file of examples."""
    FILE.write_text(json.dumps(captured(api), indent=1, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{FILE} is written\n")
