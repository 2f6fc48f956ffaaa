"""When a user's access ends, their open sockets and streams are closed within moments, on every process."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import httpx2
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from websockets.exceptions import ConnectionClosed

from conversations.models import Deletion, Turn, User
from conversations.sandbox.server import Sandbox
from conversations.services.deletion import account_deletion
from conversations.services.turns import turns
from tests import clients
from tests.clients import PASSWORD, Api, Event, Socket, sse
from tests.processes import ServerProcess

SOON = 20.0  # seconds: the contract gives 5, and a busy machine some more
LONG = "Hello [[sandbox: words=4000; pace=0.05]]"


@pytest.fixture(scope="module")
def second(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a second process, which has open connections while access is revoked on another one."""
    with ServerProcess("uvicorn", database, sandbox.url) as process:
        yield process


def token_of(api: Api) -> AuthToken:
    found: AuthToken = AuthToken.objects.get(user=api.user)
    return found


def log_out(api: Api) -> None:
    assert api.post("auth/logout/").status_code == 204


def log_out_everywhere(api: Api) -> None:
    assert api.post("auth/logoutall/").status_code == 204


def delete_the_token(api: Api) -> None:
    token_of(api).delete()


def let_the_token_expire(api: Api) -> None:
    AuthToken.objects.filter(pk=token_of(api).pk).update(expiry=timezone.now() + timedelta(seconds=0.5))


def deactivate(api: Api) -> None:
    api.user.is_active = False
    api.user.save()


def delete_the_user(api: Api) -> None:
    account_deletion.delete_account(user=api.user, cause=Deletion.Cause.STAFF)


def change_the_password(api: Api) -> None:
    user = get_user_model().objects.get(pk=api.user.pk)
    user.set_password("another horse")
    user.save()


def change_the_password_in_the_admin(api: Api) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser(f"staff-{uuid.uuid4().hex[:8]}"))
    form = {"password1": "another horse 1", "password2": "another horse 1", "usable_password": "true"}
    assert staff.post(f"/admin/conversations/user/{api.user.pk}/password/", form).status_code == 302


WAYS: list[Callable[[Api], None]] = [
    log_out,
    log_out_everywhere,
    delete_the_token,
    let_the_token_expire,
    deactivate,
    delete_the_user,
    change_the_password,
    change_the_password_in_the_admin,
]


def stop(api: Api, turn: str) -> None:
    if Turn.objects.filter(pk=turn).exists():
        turns.cancel(user=api.user, turn_id=turn)


class Watching:
    """A thread that reads a stream, and keeps its events."""

    def __init__(self, api: Api, turn: str, url: str, **headers: str) -> None:
        self.events: list[Event] = []
        self.begun = threading.Event()
        self._of, self._headers = f"{url}/api/turns/{turn}/events/", headers or dict(api.http.headers)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self.begun.wait(20)

    def _read(self) -> None:
        with httpx2.stream("GET", self._of, headers=self._headers, timeout=30) as response:
            for event in sse(response):
                self.events.append(event)
                self.begun.set()

    def last(self) -> Event:
        self._thread.join(SOON)
        assert not self._thread.is_alive(), "the stream goes on"
        return self.events[-1]


@pytest.mark.parametrize("end", WAYS)
def test_sockets_and_streams_of_a_token_end_everywhere(
    api: Api, second: ServerProcess, end: Callable[[Api], None]
) -> None:
    turn = api.begin(LONG)["id"]
    ticket = api.post("auth/ws-ticket/").json()["ticket"]
    headers = {"Authorization": f"Bearer {api.token}"}
    with (
        Socket(second.ws_url, additional_headers=headers) as socket,
        Socket(f"{second.ws_url}?ticket={ticket}", origin=second.url) as by_ticket,
        Api(second.url) as bystander,
        bystander.socket() as untouched,
    ):
        socket.send(type="turn.follow", ref=1, turn=turn)
        assert socket.receive()["type"] == "turn_start"
        stream = Watching(api, turn, second.url)
        end(api)
        begun = time.monotonic()
        last = stream.last()
        if end is not delete_the_user:  # the turn is deleted with the user, which ends the stream
            assert (last["type"], last["error"]["type"]) == ("error", "authentication_error")
        assert [each.closed() for each in (socket, by_ticket)] == [4401, 4401]
        assert time.monotonic() - begun < SOON
        untouched.send(type="ping")
        assert untouched.receive() == {"type": "pong"}
    stop(api, turn)
    assert clients.get(f"{second.url}/api/me/", headers=headers).status_code == 401


def session_of(api: Api) -> tuple[Client, str]:
    browser = Client()
    browser.force_login(api.user)
    return browser, browser.cookies["sessionid"].value


@pytest.mark.parametrize("way", ["log out", "delete the session", "change the password", "deactivate"])
def test_sockets_and_streams_of_a_session_end_everywhere(api: Api, second: ServerProcess, way: str) -> None:
    turn = api.begin(LONG)["id"]
    browser, key = session_of(api)
    cookie = {"Cookie": f"sessionid={key}"}
    with Socket(second.ws_url, additional_headers=cookie, origin=second.url) as socket:
        socket.send(type="turn.follow", ref=1, turn=turn)
        assert socket.receive()["type"] == "turn_start"
        stream = Watching(api, turn, second.url, **cookie)
        begun = time.monotonic()
        if way == "log out":
            browser.logout()
        elif way == "delete the session":
            Session.objects.filter(pk=key).delete()
        elif way == "change the password":
            User.objects.filter(pk=api.user.pk).update(password=make_password("another"))
        else:
            deactivate(api)
        assert stream.last()["error"]["type"] == "authentication_error"
        assert socket.closed() == 4401
        assert time.monotonic() - begun < SOON
    stop(api, turn)


@pytest.mark.parametrize("end", [delete_the_token, deactivate, change_the_password])
def test_a_command_is_refused_at_once(api: Api, end: Callable[[Api], None]) -> None:
    conversation = api.conversation()
    with api.socket() as socket:
        socket.send(type="ping")
        assert socket.receive() == {"type": "pong"}
        end(api)
        with suppress(ConnectionClosed):  # which it may be already
            socket.send(type="turn.create", ref=1, conversation=conversation, content="Hello")
        assert socket.closed() == 4401
    assert not Turn.objects.filter(user=api.user).exists()


@pytest.mark.parametrize("end", [delete_the_token, deactivate, change_the_password])
def test_a_request_is_refused_at_once_by_a_process_that_has_just_seen_the_token(
    api: Api, second: ServerProcess, end: Callable[[Api], None]
) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    me, conversations = f"{second.url}/api/me/", f"{second.url}/api/conversations/"
    assert httpx2.get(me, headers=headers).status_code == 200
    end(api)
    assert httpx2.post(conversations, json={"title": "refused"}, headers=headers).status_code == 401
    begun = time.monotonic()
    while httpx2.get(me, headers=headers).status_code != 401:
        assert time.monotonic() - begun < SOON
    assert not api.user.conversations.exists()


def test_who_has_logged_out_reads_nothing_more(api: Api) -> None:
    assert api.get("me/").status_code == 200
    log_out(api)
    assert api.get("me/").status_code == 401


def test_a_user_who_is_renamed_is_called_by_the_new_name(api: Api, second: ServerProcess) -> None:
    def name() -> str:
        answer = httpx2.get(f"{second.url}/api/me/", headers={"Authorization": f"Bearer {api.token}"})
        return str(answer.json()["user"]["first_name"])

    assert name() == ""
    User.objects.filter(pk=api.user.pk).update(first_name="Ada")
    begun = time.monotonic()
    while name() != "Ada":
        assert time.monotonic() - begun < SOON


def test_who_waits_for_an_answer_is_refused_and_the_turn_goes_on(api: Api) -> None:
    conversation = api.conversation()
    answers: list[httpx2.Response] = []
    path = f"conversations/{conversation}/turns/?wait=true"
    asking = threading.Thread(target=lambda: answers.append(api.post(path, {"content": LONG})))
    asking.start()
    while not Turn.objects.filter(user=api.user, status=Turn.RUNNING).exists():
        time.sleep(0.05)
    delete_the_token(api)
    asking.join(SOON)
    assert [(each.status_code, each.json()["error"]["type"]) for each in answers] == [(401, "authentication_error")]
    with Api(api.url, api.user) as again:
        turn = str(Turn.objects.get(user=api.user).pk)
        again.post(f"turns/{turn}/cancel/")
        assert again.ended(turn)["status"] == "cancelled"


def test_a_ticket_is_worth_no_more_than_what_it_came_from(api: Api) -> None:
    for end in (delete_the_token, change_the_password):
        with Api(api.url, api.user) as client:
            ticket = client.post("auth/ws-ticket/").json()["ticket"]
            AuthToken.objects.filter(user=api.user).delete() if end is delete_the_token else end(client)
        with Socket(f"{api.url.replace('http', 'ws')}/ws/?ticket={ticket}") as socket:
            assert socket.closed() == 4401


def test_an_outdated_hash_is_replaced_without_logging_anybody_out(api: Api) -> None:
    outdated = make_password(PASSWORD, hasher="pbkdf2_sha256")
    User.objects.filter(pk=api.user.pk).update(password=outdated)
    with Api(api.url, api.user) as client:
        body = {"username": api.user.username, "password": PASSWORD}
        assert clients.post(f"{api.url}/api/auth/login/", json=body).status_code == 200
        assert User.objects.get(pk=api.user.pk).password.startswith("argon2")
        assert client.get("me/").status_code == 200
