"""Answering the body of a Messages request, single or in a batch."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from conversations.claude.catalogue import Model, find
from conversations.sandbox.cache import PromptCache, usage_of
from conversations.sandbox.directives import Directives
from conversations.sandbox.refused import STATUSES, Refused
from conversations.sandbox.replies import answer_to
from conversations.sandbox.request_text import Body


class Responder:
    """Answers requests, with a prompt cache and counts of injected errors."""

    def __init__(self) -> None:
        self._cache = PromptCache()
        self._attempts: Counter[str] = Counter()

    def fail_if_told(self, body: Body, directives: Directives) -> None:
        """Raise Refused for the first `times` requests with this body, if its directives say so."""
        error = directives.text("error")
        if error is None or not self.still_told(body, directives):
            return
        status = int(error) if error.isdigit() else STATUSES.get(error, 500)
        headers = {}
        if after := directives.text("retry_after"):
            headers["retry-after"] = after
        if "no_retry" in directives:
            headers["x-should-retry"] = "false"
        kind = None if error.isdigit() else error
        raise Refused(status, f"The sandbox was told to fail: {error}", type=kind, headers=headers)

    def still_told(self, body: Body, directives: Directives) -> bool:
        """Count a request that directs a fault; return whether it is one of the first `times` with this body."""
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        self._attempts[digest] += 1
        return self._attempts[digest] <= directives.number("times", float("inf"))

    def message(self, id: str, body: Body, directives: Directives, prompt: str) -> Body:
        """Return the complete answer to a valid request, as a message with this id."""
        model = known_model(body)
        answer = answer_to(body, model, directives, prompt)
        usage = {**usage_of(self._cache.split(body, model)), **answer.usage, **directives.usage}
        return {
            "id": id,
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": answer.content,
            "stop_reason": answer.stop_reason,
            "stop_sequence": answer.stop_sequence,
            "stop_details": answer.stop_details,
            "usage": usage,
        }


def known_model(body: Body) -> Model:
    """Return the model of a validated request."""
    model = find(body["model"])
    assert model is not None, "the request has been validated"
    return model
