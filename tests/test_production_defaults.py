"""Production is safe without any setting, and secrets are written nowhere."""

from __future__ import annotations

import logging
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from websockets.sync.client import connect

from config.logs import Redacting
from conversations.sandbox.server import Sandbox
from tests.clients import Api, Socket
from tests.commands import manage
from tests.processes import ServerProcess

PRODUCTION = {
    "ANTHROPIC_API_KEY": "test",
    "DJANGO_DEBUG": "false",
    "DJANGO_ALLOWED_HOSTS": "chat.example.com,127.0.0.1",
    "DJANGO_BEHIND_PROXY": "true",
    "DJANGO_SECRET_KEY": "a-secret-of-more-than-fifty-characters-0123456789-abcdefghij",
}


def check(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return manage(folder, "check", "--deploy", "--fail-level", "WARNING", **variables)


def test_nothing_is_left_to_warn_of(tmp_path: Path, database: str) -> None:
    done = check(tmp_path, **PRODUCTION, DATABASE_URL=database)
    assert done.returncode == 0, done.stderr
    assert "WARNINGS" not in done.stderr


@pytest.mark.parametrize("secret", ["x" * 49, "short", "a" * 60])
def test_a_weak_secret_is_refused(secret: str, tmp_path: Path) -> None:
    done = check(tmp_path, **{**PRODUCTION, "DJANGO_SECRET_KEY": secret})
    assert done.returncode != 0
    assert "DJANGO_SECRET_KEY must have at least 50 random characters" in done.stderr


def test_a_proxy_with_tls_is_all_it_takes(api: Api, database: str, sandbox: Sandbox) -> None:
    with ServerProcess("uvicorn", database, sandbox.url, **PRODUCTION) as process, Api(process.url) as client:
        plain = client.http.get("/admin/login/")
        assert (plain.status_code, plain.headers["Location"]) == (301, f"https://127.0.0.1:{process.port}/admin/login/")
        page = client.http.get("/admin/login/", headers={"X-Forwarded-Proto": "https"})
        assert page.status_code == 200
        assert "Secure" in page.headers["Set-Cookie"]
        assert int(page.headers["Strict-Transport-Security"].split("=")[1].split(";")[0]) >= 31536000


def test_attachments_are_nobody_elses_on_this_machine(api: Api, png: bytes) -> None:
    assert api.http.post("/api/attachments/", files={"file": ("a.png", png, "image/png")}).status_code == 201
    paths = list(Path(settings.MEDIA_ROOT).rglob("*"))
    assert paths
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_no_ticket_and_no_token_is_in_the_log(api: Api, database: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Neither where uvicorn's own command serves, with its access log."""
    log = tmp_path / "log"
    most = {"COLLOQUY_LOG_LEVEL": "DEBUG", "COLLOQUY_ACCESS_LOG": "true"}
    with ServerProcess("uvicorn's own", database, sandbox.url, log, **most) as process:
        ticket = api.post("auth/ws-ticket/").json()["ticket"]
        url = f"{process.ws_url}?ticket={ticket}"
        with Socket(url) as socket:
            socket.send(type="ping")
            assert socket.receive() == {"type": "pong"}
        with connect(url) as again:
            assert again.recv is not None
    said = log.read_text()
    assert "/ws/" in said
    assert ticket not in said
    assert api.token not in said


@pytest.mark.parametrize(
    "line",
    [
        "GET /ws/?ticket=SECRET HTTP/1.1",
        "Authorization: Bearer SECRET",
        "{'username': 'a', 'password': 'SECRET'}",
        'body: {"password": "SECRET"}',
        "colloquy_0123456789abcdef0123SECRET",
    ],
)
def test_secrets_are_left_out_of_messages_and_tracebacks(line: str) -> None:
    try:
        raise ValueError(line)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "Failed: %s", (line,), sys.exc_info())
    said = Redacting("%(message)s").format(record)
    assert "SECRET" not in said
    assert "Failed" in said


@pytest.mark.parametrize(
    "origin", ["https://127.0.0.1:{port}", "http://127.0.0.1", "http://127.0.0.1:1", "http://localhost:{port}", "null"]
)
def test_another_origin_opens_no_socket_and_uses_its_ticket_up(api: Api, origin: str) -> None:
    ticket = api.post("auth/ws-ticket/").json()["ticket"]
    url = f"{api.url.replace('http', 'ws')}/ws/?ticket={ticket}"
    with Socket(url, origin=origin.format(port=api.url.rsplit(":", 1)[1])) as socket:
        assert socket.closed() == 4403
    with Socket(url, origin=api.url) as socket:
        assert socket.closed() == 4401
