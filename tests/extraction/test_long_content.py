"""Content that does not fit into one request is sent in parts, and the results are merged into one."""

from __future__ import annotations

import json
import re
from typing import Any

from django.conf import LazySettings

from extraction import extract
from tests.clients import Api
from tests.extraction.upstream import Body, Said, text_of, upstream

WINDOW_OF_200K = "claude-haiku-4-5"
ROWS = 300
LINES = [f"Row {number}: {'padding ' * 200}" for number in range(1, ROWS + 1)]
CONTENT = "Title: parts\n\n" + "\n\n".join(LINES) + "\n\nTotal: 7"
NUMBER = re.compile(r"^Row (\d+):", re.MULTILINE)
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "total": {"type": "integer"},
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
        },
    },
    "required": ["title", "total", "rows"],
}


def extracted(api: Api, settings: LazySettings, total: str = "7") -> tuple[Any, list[str]]:
    """Extract by an upstream that returns the numbers it receives; return the result and the texts received."""
    shown: list[str] = []

    def answer(body: Body) -> Said:
        text = text_of(body["messages"][0])
        shown.append(text)
        data: dict[str, Any] = {"rows": [{"number": int(each)} for each in NUMBER.findall(text)]}
        if "Title: parts" in text:
            data.update(title="parts", total=int(total))
        if "Total: 7" in text:
            data.update(total=7)
        return Said(json.dumps(data))

    with upstream(answer) as url:
        settings.ANTHROPIC_BASE_URL = url
        return extract(CONTENT, SCHEMA, user=api.user, model=WINDOW_OF_200K, evidence=False), shown


def test_it_is_asked_about_in_parts_and_comes_out_as_one(api: Api, settings: LazySettings) -> None:
    found, shown = extracted(api, settings)
    assert len(shown) > 1
    assert found.extraction.problems == []
    assert found.data == {"title": "parts", "total": 7, "rows": [{"number": n} for n in range(1, ROWS + 1)]}
    assert len(found.extraction.attempts.all()) == 1


def test_what_the_parts_do_not_agree_on_is_a_problem_of_that_field(api: Api, settings: LazySettings) -> None:
    found, _ = extracted(api, settings, total="8")
    assert found.extraction.status == "succeeded"
    assert found.data["total"] == 8
    assert [each["path"] for each in found.extraction.problems] == ["/total"]
