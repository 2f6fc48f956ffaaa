"""Authentication: tokens for API clients, sessions for browsers, tickets for their WebSockets."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests import clients
from tests.clients import Api, Socket
from tests.processes import ServerProcess


def login(api: Api) -> httpx2.Response:
    body = {"username": api.user.username, "password": "correct horse"}
    return clients.post(f"{api.url}/api/auth/login/", json=body)


def session_cookie(api: Api) -> str:
    with clients.client(base_url=api.url) as browser:
        api.user.is_staff = True
        api.user.save()
        browser.get("/admin/login/")
        form = {"username": api.user.username, "password": "correct horse"}
        headers = {"Referer": api.url, "X-CSRFToken": browser.cookies["csrftoken"]}
        browser.post("/admin/login/", data=form, headers=headers)
        return f"sessionid={browser.cookies['sessionid']}"


def close_code(api: Api, **options: Any) -> int:
    with connect(f"{api.url.replace('http', 'ws')}/ws/", **options) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(5)
        assert closed.value.rcvd
        return closed.value.rcvd.code


def test_a_token_opens_the_api_until_it_is_ended(api: Api) -> None:
    response = login(api)
    assert response.status_code == 200
    headers = {"Authorization": f"Bearer {response.json()['token']}"}
    assert response.json()["user"]["username"] == api.user.username
    assert clients.get(f"{api.url}/api/me/", headers=headers).json()["user"]["id"] == str(api.user.pk)
    assert clients.post(f"{api.url}/api/auth/logout/", headers=headers).status_code == 204
    assert clients.get(f"{api.url}/api/me/", headers=headers).status_code == 401
    assert api.get("me/").status_code == 200
    assert api.post("auth/logoutall/").status_code == 204
    assert api.get("me/").status_code == 401


def test_a_wrong_password_does_not(api: Api) -> None:
    response = clients.post(f"{api.url}/api/auth/login/", json={"username": api.user.username, "password": "wrong"})
    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")


def test_a_session_needs_its_csrf_token(api: Api) -> None:
    cookie = {"Cookie": session_cookie(api)}
    assert clients.get(f"{api.url}/api/me/", headers=cookie).status_code == 200
    response = clients.post(f"{api.url}/api/conversations/", json={}, headers=cookie)
    assert (response.status_code, response.json()["error"]["type"]) == (403, "permission_error")


def test_a_ticket_opens_one_socket(api: Api) -> None:
    response = api.post("auth/ws-ticket/").json()
    assert response["expires_in"] == 30
    url = f"{api.url.replace('http', 'ws')}/ws/?ticket={response['ticket']}"
    with Socket(url, origin=api.url) as socket:
        socket.send(type="ping", ref="p")
        assert socket.receive() == {"type": "pong", "ref": "p"}
    with connect(url) as second:
        with pytest.raises(ConnectionClosed) as closed:
            second.recv(5)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4401


def test_a_session_opens_a_socket_from_our_own_pages_only(api: Api) -> None:
    headers = {"Cookie": session_cookie(api)}
    with Socket(f"{api.url.replace('http', 'ws')}/ws/", additional_headers=headers, origin=api.url) as socket:
        socket.send(type="ping")
        assert socket.receive() == {"type": "pong"}
    assert close_code(api, additional_headers=headers, origin="https://evil.example") == 4403
    assert close_code(api, additional_headers=headers) == 4401


def test_nobody_else_gets_in(api: Api) -> None:
    assert close_code(api) == 4401
    assert close_code(api, additional_headers={"Authorization": "Bearer nonsense"}) == 4401


def test_the_api_is_described(server: ServerProcess) -> None:
    schema = clients.get(f"{server.url}/api/schema/?format=json", headers={"Accept": "application/json"})
    assert schema.status_code == 200
    paths = schema.json()["paths"]
    assert "/api/conversations/{id}/turns/" in paths
    assert "/api/extraction/extractions/" in paths
    assert clients.get(f"{server.url}/api/docs/").status_code == 200
