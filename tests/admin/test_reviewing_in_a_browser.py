"""Reviewing extracted data and comparing evaluations in a real browser: by keyboard, light and dark, accessibly.

With COLLOQUY_SCREENSHOTS screenshots are kept in that folder.
"""

from __future__ import annotations

import json
import os
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from conversations.models import Opening, User
from extraction.models import Extraction, Review
from tests import batches, browser
from tests.admin.test_pages_in_a_browser import Seen, session
from tests.batches import NAME_AND_EMAIL
from tests.clients import Api
from tests.extraction.conftest import worker
from tests.processes import ROOT, ServerProcess

__all__ = ["worker"]

FOLDER = os.environ.get("COLLOQUY_SCREENSHOTS")
SAMPLES = ROOT / "extraction" / "samples"
TEXT = "Contact Jane 📞 at jane@example.com, or call her.\n" * 3


@pytest.fixture(scope="module")
def owner(uvicorn_server: ServerProcess, worker: ServerProcess) -> Any:
    """Provide a user with a batch of two items, and an evaluation of two runs that differ."""
    with Api(uvicorn_server.url) as api:
        api.post("extraction/schemas/", {"name": "contact", "json_schema": NAME_AND_EMAIL})
        items = [{"key": f"{number}.txt", "content": TEXT} for number in range(2)]
        batch = batches.create(api, items, schema="contact")["id"]
        batches.ended(api, batch)
        at = TEXT.index("jane@")
        evidence = [
            {"path": "/name", "quote": "Jane", "start": 8, "end": 12, "source": 0, "status": "exact"},
            {
                "path": "/email",
                "quote": "jane@example.com",
                "start": at,
                "end": at + 16,
                "source": 0,
                "status": "exact",
            },
        ]
        for extraction in Extraction.objects.filter(item__batch=uuid.UUID(batch)):
            extraction.evidence = evidence
            extraction.save(update_fields=["evidence"])
        asked = {
            "items": [{"content": TEXT, "expected": {"name": "Jane", "email": "jane@example.org"}}],
            "runs": [{"schema": "contact", "evidence": False}, {"schema": "contact@1", "model": "claude-haiku-4-5"}],
        }
        evaluation = api.post("extraction/evaluations/", asked).json()
        for run in evaluation["runs"]:
            batches.ended(api, run["batch"])
        yield {"api": api, "batch": batch, "evaluation": evaluation["id"], "invoice": invoice(api)}


def invoice(api: Api) -> str:
    """Extract data from an invoice in PDF; return the extraction's id."""
    pdf = {
        "type": "base64",
        "media_type": "application/pdf",
        "data": b64encode((SAMPLES / "tea.pdf").read_bytes()).decode(),
    }
    body = {
        "schema": json.loads((SAMPLES / "invoice.json").read_text()),
        "content": [{"type": "document", "title": "The invoice", "source": pdf}],
    }
    extraction = api.post("extraction/extractions/?wait=true", body).json()
    assert {each["page"] for each in extraction["evidence"] if each["status"] == "exact"} == {1}
    return str(extraction["id"])


def check(seen: Seen, name: str, rules: Sequence[str]) -> None:
    """Check that the page shown has no errors, sends no foreign requests, fits the window and is accessible."""
    assert seen.complaints == []
    assert seen.elsewhere == []
    assert seen.too_wide() <= 0
    if FOLDER:
        Path(FOLDER).mkdir(parents=True, exist_ok=True)
        seen.page.screenshot(path=Path(FOLDER) / f"{name}.png")
    assert browser.hindrances(seen.page, ".review", rules) == []


def check_drawn(seen: Seen) -> None:
    """Check that the page of the PDF is drawn, and large enough to be read."""
    drawn = seen.page.locator("figure img").first
    drawn.evaluate("image => image.decode()")
    assert drawn.evaluate("image => image.naturalWidth") > 500


def reviewing(page: Page, owner: dict[str, Any], url: str) -> None:
    """Go through the review queue by keyboard: correct the first extraction, approve the second."""
    page.keyboard.press("j")
    assert page.locator("mark.shown").inner_text() == "jane@example.com"
    page.keyboard.press("k")
    assert page.locator("mark.shown").inner_text() == "Jane"
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.type(" Doe")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert owner["first"] not in page.url, "the next one is shown"
    with page.expect_navigation():
        page.keyboard.press("a")
    assert "has been reviewed" in page.content()


DARK = """document.documentElement.classList.add("dark")"""  # as the admin does it when a page is opened


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with browser.unused_context(chromium).new_page() as page:
        yield page


def test_a_queue_is_gone_through_by_keyboard(owner: dict[str, Any], uvicorn_server: ServerProcess, page: Page) -> None:
    staff = User.objects.create_superuser(f"staff-{uuid.uuid4().hex[:8]}")
    base = f"{uvicorn_server.url}/admin/extraction"
    found = list(Extraction.objects.filter(item__batch=uuid.UUID(owner["batch"])).order_by("pk"))
    owner["first"] = str(found[0].pk)
    page.context.add_cookies([{"name": "sessionid", "value": session(staff), "url": uvicorn_server.url}])
    seen = Seen(page)
    seen.resize(1440)
    pages = {
        "batches": f"{base}/batch/",
        "batch": f"{base}/batch/{owner['batch']}/change/",
        "evaluation": f"{base}/evaluation/{owner['evaluation']}/change/",
        "review": f"{base}/extraction/review/?batch={owner['batch']}",
        "invoice": f"{base}/extraction/{owner['invoice']}/review/",
    }
    for name, url in pages.items():
        page.emulate_media(color_scheme="light")
        seen.open(url)
        if name == "invoice":
            check_drawn(seen)
        if name != "batches":
            check(seen, f"extraction-{name}-light", ())
            page.evaluate(DARK)
            browser.show_in(page, "dark")
            check(seen, f"extraction-{name}-dark", browser.COLOURS)
    seen.open(pages["review"])
    reviewing(seen.page, owner, base)
    seen.open(f"{base}/extraction/{found[1].pk}/review/")
    with seen.page.expect_navigation():
        seen.page.get_by_role("button", name="Make an evaluation of 2 reviewed with this schema").click()
    assert "/evaluation/" in seen.page.url
    decisions = dict(Review.objects.filter(reviewer=staff).values_list("extraction", "decision"))
    assert decisions == {found[0].pk: "corrected", found[1].pk: "approved"}
    corrected = owner["api"].get(f"extraction/extractions/{found[0].pk}/").json()
    assert corrected["final"] == {"name": "Jane Doe", "email": "jane@example.com"}
    assert corrected["data"]["name"] == "Jane"
    assert Opening.objects.filter(owner=owner["api"].user, staff=staff.username, kind="extraction").exists()
    assert Opening.objects.filter(owner=owner["api"].user, staff=staff.username, kind="evaluation").exists()
