"""`/` greets without a login, and static files are kept by browsers for a year, under names that change with them."""

from __future__ import annotations

import re

import httpx2

from tests.processes import ServerProcess

YEAR = "max-age=315360000, public, immutable"


def files_in(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', page)


def test_the_first_page_greets_and_leads_on(server: ServerProcess) -> None:
    page = httpx2.get(f"{server.url}/")
    assert page.status_code == 200
    assert "Colloquy" in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    links = re.findall(r'<a href="([^"]+)"', page.text)
    assert {"/api/docs/", "/admin/"} <= set(links)
    assert all(httpx2.get(f"{server.url}{link}", follow_redirects=True).status_code == 200 for link in links)


def test_static_files_are_kept_for_a_year_by_names_that_change_with_them(server: ServerProcess) -> None:
    pages = [httpx2.get(f"{server.url}{path}", follow_redirects=True).text for path in ("/", "/admin/", "/api/docs/")]
    files = {file for page in pages for file in files_in(page)}
    assert len(files) > 5
    for file in files:
        answer = httpx2.get(f"{server.url}{file}")
        assert answer.status_code == 200, file
        assert answer.headers["cache-control"] == YEAR, file


def test_a_name_with_another_hash_is_not_found(server: ServerProcess) -> None:
    [style] = [file for file in files_in(httpx2.get(f"{server.url}/").text) if file.endswith(".css")]
    plain = re.sub(r"\.[0-9a-f]{12}\.css$", ".css", style)
    assert httpx2.get(server.url + re.sub(r"\.[0-9a-f]{12}\.css$", ".000000000000.css", style)).status_code == 404
    assert "immutable" not in httpx2.get(server.url + plain).headers["cache-control"]
    assert httpx2.get(server.url + plain).content == httpx2.get(server.url + style).content
