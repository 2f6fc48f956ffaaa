"""A Python client that uses the package made by openapi-python-client. `mypy --strict` checks it."""

from __future__ import annotations

import json
import os

from colloquy_client import AuthenticatedClient
from colloquy_client.api.conversations import create_conversation, create_turn
from colloquy_client.models import (
    Conversation,
    ConversationRequest,
    ErrorResponse,
    NewTurnRequest,
    TextBlock,
    TextBlockParam,
    Turn,
)

client = AuthenticatedClient(os.environ["COLLOQUY_URL"], os.environ["COLLOQUY_TOKEN"])

conversation = create_conversation.sync(client=client, body=ConversationRequest(title="Typed", max_tokens=200))
assert isinstance(conversation, Conversation), conversation

hello = NewTurnRequest(content=[TextBlockParam(type_="text", text="Hello")])
turn = create_turn.sync(conversation.id, client=client, body=hello, wait=True)
assert isinstance(turn, Turn), turn
said = "".join(block.text for block in turn.messages[0].content if isinstance(block, TextBlock))

refused = create_turn.sync(conversation.id, client=client, body=NewTurnRequest())
assert isinstance(refused, ErrorResponse), refused

print(json.dumps({"status": turn.status.value, "said": said, "cost": turn.cost, "kind": refused.error.type_}))
