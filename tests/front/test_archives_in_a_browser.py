"""The page can export all of a user's data, and import an archive with progress."""

from __future__ import annotations

import json

from tests.archives.importing import exported, lines
from tests.archives.samples import claude_conversation, said
from tests.clients import Api
from tests.contract.generators import axe
from tests.front.visiting import Visitor


def test_an_archive_is_imported_and_everything_is_exported(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("body[data-ready]").wait_for()
    page.click("#show-data")
    talk = claude_conversation("c", said("a", None, "human", "Hello", files=[{"file_name": "<b>gone</b>.png"}]))
    file = {"name": "conversations.json", "mimeType": "application/json", "buffer": json.dumps([talk]).encode()}
    page.set_input_files("#data-file", file)  # type: ignore[arg-type]
    visitor.sees("1 conversations with 1 messages imported.", "#data-state")
    visitor.sees("<b>gone</b>.png is not in the archive", "#data-problems li")
    visitor.sees("Tea", "#conversations li")
    assert page.locator("#data-cancel").is_hidden()
    page.evaluate(axe())
    found = page.evaluate("axe.run('#data', {resultTypes: ['violations']})")["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    with page.expect_download() as download:
        page.click("a[download]")
    assert download.value.suggested_filename.startswith("colloquy-")
    with Api(visitor.url, visitor.user) as api:
        [line] = lines(exported(api), "conversations.jsonl")
    assert line["conversation"]["title"] == "Tea"
    page.set_input_files("#data-file", {**file, "buffer": b"nothing"})  # type: ignore[arg-type]
    visitor.sees("neither a ZIP archive", "#data-state")
    visitor.complaints.clear()  # the browser tells of the 400
