"""Guessing passwords is slowed down, and nobody else is affected."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator

import httpx2
import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from conversations.models import FailedLogin
from conversations.sandbox.server import Sandbox
from tests import clients
from tests.clients import PASSWORD, Api
from tests.processes import ServerProcess


@pytest.fixture(scope="module")
def processes(database: str, sandbox: Sandbox) -> Iterator[list[ServerProcess]]:
    with (
        ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_FAILED_LOGINS="4") as one,
        ServerProcess("uvicorn", database, sandbox.url, COLLOQUY_FAILED_LOGINS="4") as other,
    ):
        yield [one, other]


@pytest.fixture(autouse=True)
def _nobody_has_failed(database: str) -> None:
    FailedLogin.objects.all().delete()


def login(url: str, name: str, password: str, address: str = "127.0.0.1") -> httpx2.Response:
    with clients.client(transport=httpx2.HTTPTransport(local_address=address, verify=False)) as client:
        return client.post(f"{url}/api/auth/login/", json={"username": name, "password": password})


def form_login(url: str, name: str, password: str) -> httpx2.Response:
    with clients.client(base_url=url) as browser:
        browser.get("/admin/login/")
        headers = {"Referer": url, "X-CSRFToken": browser.cookies["csrftoken"]}
        return browser.post("/admin/login/", data={"username": name, "password": password}, headers=headers)


def test_a_name_is_limited_over_all_processes_and_doors(api: Api, processes: list[ServerProcess]) -> None:
    name = api.user.username
    assert [login(processes[n % 2].url, name, "wrong").status_code for n in range(3)] == [401] * 3
    assert form_login(processes[0].url, name, "wrong").status_code == 200  # the form, with its complaint
    refused = login(processes[1].url, name.upper(), PASSWORD)
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    page = form_login(processes[0].url, name, PASSWORD)
    assert (page.status_code, page.headers["Content-Type"].split(";")[0]) == (429, "text/html")
    assert 0 < int(page.headers["Retry-After"]) <= 300
    assert login(processes[0].url, name, PASSWORD, "127.0.0.2").status_code == 200


def test_an_address_is_limited_whatever_the_names(api: Api, processes: list[ServerProcess]) -> None:
    names = [f"nobody-{uuid.uuid4().hex}" for _ in range(13)]
    statuses = [login(processes[n % 2].url, name, "wrong", "127.0.0.3").status_code for n, name in enumerate(names)]
    assert statuses == [401] * 12 + [429]
    assert login(processes[0].url, api.user.username, PASSWORD).status_code == 200


def test_those_at_once_are_counted(api: Api, processes: list[ServerProcess]) -> None:
    statuses: list[int] = []

    def guess(n: int) -> None:
        statuses.append(login(processes[n % 2].url, api.user.username, "wrong").status_code)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {401: 4, 429: 12}


def test_who_gets_it_right_begins_anew(api: Api, processes: list[ServerProcess]) -> None:
    for _ in range(3):
        assert [login(processes[0].url, api.user.username, "wrong").status_code for _ in range(3)] == [401] * 3
        assert login(processes[0].url, api.user.username, PASSWORD).status_code == 200


def test_an_invented_address_is_no_other_one(api: Api, processes: list[ServerProcess]) -> None:
    body = {"username": api.user.username, "password": "wrong"}
    statuses = [
        clients.post(
            f"{processes[0].url}/api/auth/login/", json=body, headers={"X-Forwarded-For": f"9.9.9.{n}"}
        ).status_code
        for n in range(5)
    ]
    assert statuses == [401] * 4 + [429]


def test_nobody_waits_for_those_who_guess(api: Api) -> None:
    """This process has no limit on attempts."""
    threads = [threading.Thread(target=login, args=(api.url, f"nobody-{n}", "wrong")) for n in range(30)]
    for thread in threads:
        thread.start()
    slowest, asked = 0.0, 0
    while any(thread.is_alive() for thread in threads):
        begun = time.monotonic()
        assert api.get("me/").status_code == 200
        slowest, asked = max(slowest, time.monotonic() - begun), asked + 1
    assert asked > 3
    assert slowest < 2


@pytest.mark.parametrize("password", ["83749274823", "password123", "short1!"])
def test_weak_passwords_are_refused(password: str, database: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)
