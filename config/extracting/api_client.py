"""Extractions and batches over the API of a running server."""

from __future__ import annotations

import mimetypes
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import httpx2
from typing_extensions import TypedDict, Unpack

from config.server_access import Answer, Refused
from conversations.content.media import IMAGE_TYPES, TEXTUAL
from conversations.contract.error_types import Failure
from conversations.contract.wire import Block, Source
from conversations.exact_json import dumps, loads

TIMEOUT = httpx2.Timeout(60)
PAUSE = 0.5  # seconds between polls
LONGEST_PAUSE = 5.0  # seconds
RETRIES = 8  # of a request that the server refuses for the moment
BUSY = frozenset([429, 502, 503, 504])
ENDED = frozenset(["ended", "cancelled"])
RUNNING = frozenset(["queued", "running"])


class Sent(TypedDict, total=False):
    """The contents of a request besides its method and its path."""

    headers: dict[str, str]
    content: str
    files: dict[str, tuple[str, bytes]]


class ExtractionClient:
    """A user's client of a server, for any number of threads."""

    def __init__(self, url: str, token: str) -> None:
        """Take the address of the server, and the user's token."""
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client(base_url=f"{url.rstrip('/')}/api/", headers=headers, timeout=TIMEOUT)

    def close(self) -> None:
        """Close the connections; the client cannot be used after that."""
        self._http.close()

    def content_of(self, file: Path) -> list[Block]:
        """Upload a file, and return a content block that refers to it. Raise Refused, OSError."""
        data = file.read_bytes()
        attachment = self._send("POST", "attachments/", files={"file": (file.name, data)})
        source: Source = {"type": "attachment", "attachment": attachment["id"], "media_type": attachment["media_type"]}
        guessed, _ = mimetypes.guess_type(file.name)
        if attachment["media_type"] in IMAGE_TYPES:
            return [{"type": "image", "source": source}]
        if attachment["media_type"] in TEXTUAL and guessed in TEXTUAL:
            source["media_type"] = guessed
        return [{"type": "document", "source": source, "title": file.name}]

    def extract(self, asked: Mapping[str, object]) -> Answer:
        """Create an extraction, and return it when it has ended. Raises Refused."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        extraction = self._send("POST", "extraction/extractions/", asked, headers=key)
        pause = PAUSE
        while extraction["status"] in RUNNING:
            time.sleep(pause)
            pause = min(pause * 1.2, LONGEST_PAUSE)
            extraction = self._send("GET", f"extraction/extractions/{extraction['id']}/")
        return extraction

    def create_batch(self, asked: Mapping[str, object]) -> Answer:
        """Create a batch. Raises Refused."""
        return self._send("POST", "extraction/batches/", asked, headers={"Idempotency-Key": str(uuid.uuid4())})

    def create_evaluation(self, asked: Mapping[str, object]) -> Answer:
        """Create an evaluation. Raises Refused."""
        return self._send("POST", "extraction/evaluations/", asked)

    def evaluation(self, id: str) -> Answer:
        """Return an evaluation with the scores of its runs. Raises Refused."""
        return self._send("GET", f"extraction/evaluations/{id}/")

    def batch(self, id: str) -> Answer:
        """Return a batch with its progress. Raise Refused."""
        return self._send("GET", f"extraction/batches/{id}/")

    def batch_results(self, id: str) -> list[Answer]:
        """Return the results of a batch's items. Raises Refused."""
        response = self._respond("GET", f"extraction/batches/{id}/results/?format=jsonl")
        return [loads(line) for line in response.text.splitlines() if line.strip()]

    def _send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, **options: Unpack[Sent]
    ) -> Answer:
        if body is not None:
            headers = {"Content-Type": "application/json", **options.pop("headers", {})}
            options = {**options, "content": dumps(body), "headers": headers}
        answer: Answer = loads(self._respond(method, path, **options).text)
        return answer

    def _respond(self, method: str, path: str, **options: Unpack[Sent]) -> httpx2.Response:
        """Send a request, with retries while the server is unavailable or busy, and return its response.

        Raise Refused for errors of the server, httpx2.HTTPError if it stays unavailable.
        """
        for retry in range(RETRIES + 1):
            try:
                response = self._http.request(method, path, **options)
            except httpx2.TransportError:
                if retry == RETRIES:
                    raise
                time.sleep(PAUSE * 2**retry)
                continue
            if not response.is_error:
                return response
            error = _error_of(response)
            if response.status_code not in BUSY or error["type"] == "budget_exceeded" or retry == RETRIES:
                raise Refused(error["message"], error["type"])
            time.sleep(float(response.headers.get("Retry-After") or PAUSE * 2**retry))
        raise AssertionError("the last try returns or raises")


def _error_of(response: httpx2.Response) -> Failure:
    try:
        error = response.json()["error"]
        return {"type": str(error["type"]), "message": str(error["message"])}
    except (ValueError, KeyError, TypeError):
        return {"type": "api_error", "message": f"The server answered {response.status_code}."}
