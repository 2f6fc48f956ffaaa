"""Visitors get the login page, and browsers cache static files for a year, by names that change with the content."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests import clients
from tests.processes import ServerProcess

YEAR = "max-age=315360000, public, immutable"


@pytest.fixture
def browser(server: ServerProcess) -> Iterator[httpx2.Client]:
    """Provide an HTTP client without a login."""
    with clients.client(base_url=server.url, follow_redirects=True) as client:
        yield client


def files_in(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', page)


def test_the_first_page_greets_and_leads_on(browser: httpx2.Client) -> None:
    page = browser.get("/")
    assert (page.status_code, page.url.path) == (200, "/login/")
    assert "Colloquy" in page.text
    assert "style=" not in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    links = re.findall(r'<a href="([^"]+)"', page.text)
    assert {"/api/docs/", "/admin/"} <= set(links)
    assert all(browser.get(link).status_code == 200 for link in links)


def test_static_files_are_kept_for_a_year_by_names_that_change_with_them(browser: httpx2.Client) -> None:
    pages = [browser.get(path).text for path in ("/login/", "/admin/", "/api/docs/")]
    files = {file for page in pages for file in files_in(page)}
    assert len(files) > 5
    for file in files:
        answer = browser.get(file)
        assert answer.status_code == 200, file
        assert answer.headers["cache-control"] == YEAR, file


def test_a_name_with_another_hash_is_not_found(browser: httpx2.Client) -> None:
    style = next(file for file in files_in(browser.get("/login/").text) if file.endswith(".css"))
    plain = re.sub(r"\.[0-9a-f]{12}\.css$", ".css", style)
    assert browser.get(re.sub(r"\.[0-9a-f]{12}\.css$", ".000000000000.css", style)).status_code == 404
    assert "immutable" not in browser.get(plain).headers["cache-control"]
    assert browser.get(plain).content == browser.get(style).content


def test_scripts_that_import_each_other_are_kept_by_the_hash_of_their_folder(browser: httpx2.Client) -> None:
    script = next(file for file in files_in(browser.get("/login/").text) if file.endswith("/front/theme.js"))
    main = script.replace("theme.js", "main.js")
    imported = re.search(r'from "\.\./(client\.js)"', browser.get(main).text)
    assert imported
    beside = main.replace("front/main.js", imported[1])
    assert browser.get(beside).headers["cache-control"] == YEAR
    other = re.sub(r"modules-[0-9a-f]{12}/", "modules-000000000000/", beside)
    assert other != beside
    assert browser.get(other).status_code == 404
    assert "immutable" not in browser.get("/static/conversations/client.js").headers["cache-control"]
