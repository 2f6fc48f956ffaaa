"""The extraction page: a schema, files, data that appears as it comes, and the place of each value in its source.

With COLLOQUY_SCREENSHOTS screenshots are kept in that folder.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from extraction.models import Extraction, SchemaVersion
from tests.clients import Api
from tests.extraction.conftest import worker as worker  # a fixture
from tests.front.test_accessibility_in_a_browser import check
from tests.front.visiting import Visitor
from tests.processes import ROOT, ServerProcess

EVIL = "<img src=x onerror='window.evil=1'><script>window.evil=1</script>"
CONTACT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "email": {"type": "string"}},
    "required": ["name", "email"],
    "additionalProperties": False,
}
SLOW = "Name: Jane Doe 🍵\nEmail: jane@example.com\n[[sandbox: pace=0.5]]"
TEA = {
    "type": "object",
    "properties": {"invoice_number": {"type": "string"}, "total": {"type": "number"}},
    "required": ["invoice_number", "total"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def visiting(chromium: Browser, uvicorn_server: ServerProcess) -> Iterator[Visitor]:
    """Provide one user, logged in, for the whole file."""
    with Visitor(chromium, uvicorn_server.url) as visitor:
        yield visitor


@pytest.fixture
def visitor(visiting: Visitor) -> Iterator[Visitor]:
    """Provide the file's user; at the end the browser must have logged no errors."""
    visiting.complaints.clear()
    yield visiting
    assert visiting.complaints == []


def sample(name: str) -> bytes:
    return (ROOT / "extraction" / "samples" / name).read_bytes()


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def opened(visitor: Visitor, path: str = "/extract/") -> Page:
    visitor.page.goto(visitor.url + path)
    visitor.page.locator("body[data-ready]").wait_for()
    return visitor.page


def extracted(api: Api, schema: Any, content: Any, **fields: Any) -> str:
    """Run an extraction; return its id when it has ended."""
    response = api.post("extraction/extractions/?wait=true", {"schema": schema, "content": content, **fields})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def choose_files(page: Page, *given: tuple[str, str, bytes]) -> None:
    payload = [{"name": name, "mimeType": kind, "buffer": data} for name, kind, data in given]
    page.set_input_files("input[type=file]", payload)  # type: ignore[arg-type]
    page.locator(".chip progress").first.wait_for(state="detached")
    page.locator("#extract:enabled").wait_for()


def choose_schema(page: Page, name: str, fields: int) -> None:
    page.locator("#schema").select_option(name)
    page.wait_for_function("(count) => document.querySelectorAll('#fields > li').length === count", arg=fields)


def value(page: Page, path: str) -> Locator:
    return page.locator(f'button[data-path="{path}"]')


def test_a_sample_is_extracted_from_and_every_value_leads_to_its_place_in_the_pdf(visitor: Visitor) -> None:
    page = opened(visitor)
    assert page.locator("#fields > li").count() == 9
    page.get_by_role("button", name="a PDF invoice").click()
    page.locator("#extract:enabled").click()
    page.wait_for_url("**/extract/*-*/")
    visitor.sees("Done", "#state")
    assert page.locator("#name").inner_text() == "tea.pdf"
    page.locator(".paper img").first.wait_for()
    value(page, "/lines/1/total").click()
    visitor.sees("word for word", "#quote")
    marked = page.locator(".paper mark.chosen").first
    marked.wait_for()
    assert "/lines/1/total" in str(marked.get_attribute("data-paths"))
    page.keyboard.press("ArrowUp")
    page.locator('button[data-path="/lines/1/price"][aria-pressed=true]').wait_for()
    page.get_by_text("Its text").click()
    page.locator(".text mark.chosen, .text mark").first.wait_for()
    page.locator(".text mark").first.click()
    assert page.locator("button[aria-pressed=true]").count() == 1


def test_a_quote_behind_an_emoji_is_marked_where_it_stands(visitor: Visitor, api: Api) -> None:
    text = "🍵🍵 naïve 👩‍👩‍👧 notes\n\nName: Jane 🫖 Doe\nEmail: jane@example.com\n"
    page = opened(visitor, f"/extract/{extracted(api, CONTACT, text)}/")
    for path in ("/name", "/email"):
        value(page, path).focus()
        page.keyboard.press("Enter")
        page.locator("mark.chosen").wait_for()
        assert value(page, path).inner_text() in page.locator("mark.chosen").inner_text()
        assert page.locator("mark.chosen").inner_text() == page.locator("#quote q").inner_text()
    page.locator("mark").first.click()
    page.locator('button[data-path="/name"][aria-pressed=true]').wait_for()


def test_a_reload_in_the_middle_shows_the_same_and_goes_on(visitor: Visitor) -> None:
    page = opened(visitor)
    choose_schema(page, "ours:contact.json", 5)
    page.fill("#text", SLOW)
    page.click("#extract")
    page.wait_for_url("**/extract/*-*/")
    value(page, "/name").wait_for()
    assert visitor.sees("Running", "#state")
    assert page.locator(".coming").count() > 0
    page.reload()
    value(page, "/name").wait_for()
    assert visitor.sees("Running", "#state")
    page.click("#stop")
    visitor.sees("Stopped", "#state")
    visitor.sees("You stopped this", "#outcome")
    page.get_by_role("button", name="Extract again").wait_for()
    page.click("#more")
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/extract/")


def top(seen: Locator) -> float:
    """Return the distance of an element's upper edge from the window's, in pixels."""
    return float(seen.evaluate("(element) => element.getBoundingClientRect().top"))


def bottom(seen: Locator) -> float:
    """Return the distance of an element's lower edge from the window's upper edge, in pixels."""
    return float(seen.evaluate("(element) => element.getBoundingClientRect().bottom"))


def test_a_schema_is_written_as_a_form_and_as_json_and_kept(visitor: Visitor, api: Api) -> None:
    page = opened(visitor)
    choose_schema(page, "new", 1)
    page.fill("#fields input[aria-label=Name]", "title")
    page.click("#add-field")
    page.keyboard.type("rows")
    page.locator("#fields > li").nth(1).locator("select").first.select_option("table")
    page.locator("#fields .below input[aria-label=Name]").fill("amount")
    page.locator("#fields .below select").select_option("number")
    page.get_by_text("JSON", exact=True).click()
    written = json.loads(page.input_value("#json"))
    assert written["properties"]["rows"]["items"]["properties"] == {"amount": {"type": "number"}}
    page.fill("#json", json.dumps(written)[:-1])
    page.get_by_text("Form", exact=True).click()
    assert bottom(visitor.sees("Line 1: This is no JSON", "#schema-problem")) <= top(page.locator(".bar"))
    written["properties"]["code"] = {"type": "string", "pattern": "(["}
    page.fill("#json", json.dumps(written, indent=2))
    page.fill("#schema-name", "Ledger")
    page.click("#save-schema")
    visitor.sees("code", "#schema-problem")
    visitor.complaints.clear()  # the browser's, of the 400
    line = page.locator(".numbers .wrong").inner_text()
    assert "pattern" in page.input_value("#json").splitlines()[int(line) - 1]
    written["properties"]["code"] = {"oneOf": [{"type": "string"}, {"type": "number"}]}
    page.fill("#json", json.dumps(written))
    page.get_by_text("Form", exact=True).click()
    visitor.sees("no field for /code", "#json-only")
    page.click("#guidance summary")
    page.fill("#instructions", "Amounts are without tax.")
    page.click("#save-schema")
    visitor.sees("Saved as Ledger, version 1.", "#saved")
    page.fill("#instructions", "Amounts are with tax.")
    page.click("#save-schema")
    visitor.sees("Saved as Ledger, version 2.", "#saved")
    assert page.locator("#version option").count() == 2
    newest = SchemaVersion.objects.filter(owner=visitor.user, name="Ledger").latest("version")
    assert (newest.json_schema, newest.instructions) == (written, "Amounts are with tax.")


def test_several_files_are_a_batch_whose_results_are_downloaded(visitor: Visitor, worker: ServerProcess) -> None:
    page = opened(visitor)
    choose_schema(page, "ours:contact.json", 5)
    given = [
        (f"{number}.txt", "text/plain", f"Name: Jane {number}\nEmail: j{number}@example.com".encode())
        for number in "123"
    ]
    choose_files(page, *given)
    visitor.sees("Extract from 3 documents", "#extract")
    page.click("#extract")
    page.wait_for_url("**/extract/batches/*/")
    page.locator("#counts .succeeded strong", has_text="3").wait_for()
    visitor.sees("Done", "#state")
    assert page.locator("#items th").all_inner_texts() == ["1.txt", "2.txt", "3.txt"]
    for label, beginning in (("JSON lines", b'{"key": "1.txt"'), ("CSV", b"key"), ("Excel", b"PK")):
        with page.expect_download() as downloading:
            page.get_by_role("link", name=label).click()
        assert downloading.value.path().read_bytes().lstrip(b"\xef\xbb\xbf").startswith(beginning), label
    check(page, "extract-batch", ["light"])
    page.get_by_role("link", name="2.txt").click()
    assert value(page, "/email").inner_text() == "j2@example.com"
    assert page.locator("#name").inner_text() == "2.txt"
    page.get_by_role("link", name="its batch").wait_for()


def test_nothing_that_was_written_runs(visitor: Visitor, api: Api) -> None:
    schema = {
        "type": "object",
        "properties": {EVIL: {"type": "string", "title": EVIL, "description": EVIL}},
        "required": [EVIL],
    }
    said = json.dumps(json.dumps({EVIL: EVIL}))
    html = f"<p>Hello {EVIL}</p><svg onload='window.evil=1'></svg>".encode()
    source = {"type": "base64", "media_type": "text/html", "data": coded(html)}
    content = [
        {"type": "document", "source": source, "title": EVIL},
        {"type": "text", "text": f"{EVIL} [[sandbox: json={said}]]"},
    ]
    id = extracted(api, schema, content, metadata={"title": EVIL})
    page = opened(visitor, f"/extract/{id}/")
    visitor.sees("onerror", "#data")
    visitor.sees("onerror", "#sources h3")
    visitor.sees("onerror", "#history")
    page = opened(visitor, f"/extract/?like={id}")
    assert page.locator("#fields input").first.input_value() == EVIL
    choose_files(page, (f"{EVIL[:40]}.svg.txt", "text/plain", html))
    assert page.evaluate("window.evil") is None
    assert page.locator("main script, main [onerror], main svg[onload]").count() == 0
    policy = page.request.get(f"{visitor.url}/extract/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_what_is_not_ones_own_is_not_there(visitor: Visitor, other: Api) -> None:
    theirs = extracted(other, CONTACT, "Name: A secret")
    items = [{"key": "a", "content": "Name: A secret"}]
    batch = other.post("extraction/batches/", {"schema": CONTACT, "items": items}).json()["id"]
    for path in (f"/extract/{theirs}/", f"/extract/batches/{batch}/", "/extract/samples/views.py"):
        answer = visitor.page.request.get(visitor.url + path)
        assert (answer.status, "secret" in answer.text()) == (404, False)
    assert Extraction.objects.filter(owner=other.user).count() >= 1


def test_what_is_wrong_with_data_is_told_at_its_place(visitor: Visitor, api: Api, png: bytes) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": coded(png)}}
    text = f"Name: Jane\nEmail: j@example.com [[sandbox: json={json.dumps(json.dumps({'name': 7}))}]]"
    id = extracted(api, CONTACT, [image, {"type": "text", "text": text}], max_attempts=1)
    page = opened(visitor, f"/extract/{id}/")
    visitor.sees("After one attempt the data does not satisfy the schema", "#outcome")
    page.locator(".leaf", has=value(page, "/name")).locator(".problem").wait_for()
    assert page.locator(".picture").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 3
    page.get_by_role("button", name="Extract again").click()
    page.wait_for_url(lambda url: "/extract/" in url and id not in url)
    visitor.sees("Done", "#state")
    page.get_by_text("2 attempts", exact=True).click()
    visitor.sees("Name", "#attempts > ol > li:first-child")
    visitor.sees("Nothing is wrong with it.", "#attempts > ol > li:last-child")


def test_it_is_fit_for_everybody_in_any_light(visitor: Visitor, api: Api) -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": coded(sample("tea.pdf"))}
    document = {"type": "document", "title": "tea.pdf", "source": source}
    id = extracted(api, json.loads(sample("invoice.json")), [document], metadata={"title": "tea.pdf"})
    page = visitor.page
    choose_schema(opened(visitor), "ours:invoice.json", 9)
    check(page, "extract-new")
    page.set_viewport_size({"width": 390, "height": 800})
    check(page, "extract-new-phone", ["light"])
    page.set_viewport_size({"width": 1280, "height": 800})
    opened(visitor, f"/extract/{id}/")
    assert page.locator(".paper img").first.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 100
    value(page, "/total").click()
    page.locator("mark.chosen").first.wait_for()
    check(page, "extract-one")
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name="Back to the data").click()
    check(page, "extract-one-phone", ["light"])
    page.set_viewport_size({"width": 1280, "height": 800})
