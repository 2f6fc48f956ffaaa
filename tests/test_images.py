"""Images reach Claude unchanged, and their bytes are in no row."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from django.db import connection
from PIL import Image

from conversations.models import Attachment
from conversations.sandbox.server import Sandbox
from tests.clients import Api
from tests.files import pdf

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}


def picture(media_type: str, size: tuple[int, int] = (31, 17)) -> bytes:
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert("RGB").save(buffer, FORMATS[media_type])
    return buffer.getvalue()


def inline(data: bytes, media_type: str) -> dict[str, Any]:
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()},
    }


def sent(sandbox: Sandbox) -> Any:
    return sandbox.requests[-1].body["messages"]


@pytest.mark.parametrize("media_type", FORMATS)
def test_base64_reaches_claude_byte_for_byte(api: Api, sandbox: Sandbox, media_type: str) -> None:
    block = inline(picture(media_type), media_type)
    turn = api.ask([block, {"type": "text", "text": "What is it?"}])
    assert sent(sandbox)[0]["content"][0] == block
    [message, _] = api.get(f"conversations/{turn['conversation']}/messages/").json()["results"]
    source = message["content"][0]["source"]
    assert source["type"] == "attachment"
    assert source["media_type"] == media_type
    assert api.http.get(source["url"]).content == picture(media_type)
    assert api.http.get(source["url"]).headers["content-type"] == media_type


def test_a_url_is_claudes_to_fetch(api: Api, sandbox: Sandbox) -> None:
    block = {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}}
    api.ask([block, {"type": "text", "text": "What is it?"}])
    assert sent(sandbox)[0]["content"][0] == block


def test_an_image_is_sent_again_with_every_turn_and_stored_once(api: Api, sandbox: Sandbox) -> None:
    block = inline(picture("image/png"), "image/png")
    conversation = api.conversation()
    api.ask([block], conversation)
    api.ask([block, {"type": "text", "text": "The same?"}], conversation)
    assert [message["content"][0] for message in sent(sandbox) if message["role"] == "user"] == [block, block]
    assert Attachment.objects.filter(owner=api.user).count() == 1
    with connection.cursor() as cursor:
        longest = "SELECT max(length(content::text)) FROM conversations_message WHERE conversation_id = %s"
        cursor.execute(longest, [conversation])
        assert cursor.fetchone()[0] < 1000


def test_an_upload_can_be_named(api: Api, sandbox: Sandbox) -> None:
    data = picture("image/webp")
    response = api.http.post("/api/attachments/", files={"file": ("cat.webp", data)})
    assert response.status_code == 201, response.text
    attachment = response.json()
    assert (attachment["media_type"], attachment["width"], attachment["height"]) == ("image/webp", 31, 17)
    api.ask([{"type": "image", "source": {"type": "attachment", "attachment": attachment["id"]}}])
    assert sent(sandbox)[0]["content"][0] == inline(data, "image/webp")


def test_a_document_reaches_claude(api: Api, sandbox: Sandbox) -> None:
    data = base64.b64encode(pdf("Not much of one")).decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    block = {"type": "document", "source": source, "title": "T"}
    api.ask([block, {"type": "text", "text": "Read it"}])
    assert sent(sandbox)[0]["content"][0] == block


@pytest.mark.parametrize(
    ("data", "status"), [(b"\x00\x01\x02", 415), (b"\x89PNG\r\n\x1a\nbroken", 400), (b"<svg/>\x00", 415)]
)
def test_other_files_are_refused(api: Api, data: bytes, status: int) -> None:
    response = api.http.post("/api/attachments/", files={"file": ("x", data)})
    assert response.status_code == status
    assert response.json()["type"] == "error"


def test_an_image_with_too_many_pixels_is_refused(api: Api) -> None:
    response = api.http.post("/api/attachments/", files={"file": ("x", picture("image/png", (8001, 1)))})
    assert response.status_code == 400
    assert "8000" in response.json()["error"]["message"]
