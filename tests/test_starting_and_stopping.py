"""A process that can't start says why in one line, stops no servers of others, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests import clients, migrated
from tests.clients import sse
from tests.commands import manage
from tests.processes import STARTUP, free_port, processes_of
from tests.up import Up, UpFromNothing, running_up
from tests.waiting import until

LOOK = 0.5  # seconds between looks at all processes of the machine


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    with running_up() as running:
        yield running


def turn_streams(url: str, token: str, reader: str | None = None) -> bool:
    """Return whether a turn that is begun at `url` is streamed to its end by the server at `reader`, or at `url`."""
    with clients.client(headers={"Authorization": f"Bearer {token}"}) as client:
        id = client.post(f"{url}/api/conversations/", json={}).json()["id"]
        body = {"content": "[[sandbox: words=30; pace=0.02]]"}
        turn = client.post(f"{url}/api/conversations/{id}/turns/", json=body).json()["id"]
        with client.stream("GET", f"{reader or url}/api/turns/{turn}/events/") as response:
            events = list(sse(response))
    return (events[0]["type"], events[-1].get("status")) == ("turn_start", "completed")


def test_a_second_up_leaves_the_first_alone(up: Up) -> None:
    for port in (up.port, free_port()):
        done = manage(up.folder, "up", "--port", str(port))
        assert done.returncode == 1
        assert done.stderr == f"CommandError: Colloquy is already running at {up.url}, with the data in {up.folder}.\n"
    assert clients.get(f"{up.url}/readyz").status_code == 200
    assert turn_streams(up.url, (up.folder / "token").read_text())


def test_a_port_that_is_taken_is_named(up: Up, tmp_path: Path) -> None:
    expected = (
        f"CommandError: Port {up.port} of 127.0.0.1 can't be used: Address already in use. --port names another.\n"
    )
    for command in ("up", "serve"):
        done = manage(tmp_path, command, "--port", str(up.port))
        assert (done.returncode, done.stderr) == (1, expected)
    assert not (tmp_path / "postgres").exists()


def test_a_server_beside_up_goes_on_without_it(up: Up) -> None:
    token = (up.folder / "token").read_text()
    beside = Up(str(up.folder), "serve", "--port", "{port}")
    try:
        beside.wait_until_up()
        assert turn_streams(up.url, token, reader=beside.url)
        assert "Other processes use" in up.stop()
        assert turn_streams(beside.url, token)
        assert clients.get(f"{beside.url}/readyz").status_code == 200
    finally:
        printed = beside.stop()
    assert f"Colloquy serves at {beside.url}" in printed
    until(lambda: not (up.folder / "postgres" / "postmaster.pid").exists())


def test_nothing_outlives_an_up_that_is_killed() -> None:
    with tempfile.TemporaryDirectory(prefix="cq", ignore_cleanup_errors=True) as folder:
        migrated.give_postgres(Path(folder))
        running = Up(folder)
        running.wait_until_up()
        until(lambda: len(processes_of(folder)) >= 4, LOOK)  # its worker, sandbox, Postgres and its keeper
        running.stop(signal.SIGKILL)
        until(lambda: not processes_of(folder), LOOK)


def test_workers_end_with_their_supervisor(database: str, tmp_path: Path) -> None:
    variables = {"DATABASE_URL": database, "ANTHROPIC_API_KEY": "test"}
    running = UpFromNothing(str(tmp_path), "serve", "--workers", "2", "--port", "{port}", **variables)
    running.wait_until_up()
    started = psutil.Process(running.process.pid).children(recursive=True)
    workers = [child for child in started if "spawn_main" in " ".join(child.cmdline())]
    assert len(workers) == 2
    running.process.kill()
    running.process.wait(STARTUP)
    assert not psutil.wait_procs(workers, timeout=60)[1]
    assert "died" not in running.printed(), "no worker was replaced while it started"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", running.port))


@pytest.fixture
def empty_database(database: str) -> Iterator[str]:
    """Provide the URL of a database without tables."""
    name = f"empty_{os.getpid()}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
        yield re.sub(r"/[^/?]+\?", f"/{name}?", database)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_without_migrations_is_told_once(empty_database: str, tmp_path: Path) -> None:
    variables = {"DATABASE_URL": empty_database, "ANTHROPIC_API_KEY": "test"}
    running = Up(str(tmp_path), "serve", "--port", "{port}", **variables)
    running.wait_until_up()
    for _ in range(5):
        ready = clients.get(f"{running.url}/readyz")
        refused = clients.get(f"{running.url}/api/conversations/")
    printed = running.stop()
    assert ready.status_code == 503
    assert ready.json()["database"] is True
    assert ready.json()["migrations"] is False
    reason = ready.json()["reason"]
    assert re.fullmatch(
        r"The database lacks \d+ migrations, the first is \w+\.\w+: run `python manage.py migrate`.", reason
    )
    assert (refused.status_code, refused.json()["error"]["type"]) == (503, "overloaded_error")
    assert [line for line in printed.splitlines() if " ERROR " in line or " WARNING " in line or "Trace" in line] == [
        line for line in printed.splitlines() if line.endswith(f"ERROR config.migrated: {reason}")
    ]
    assert printed.count(reason) == 1


WANTED = "it must be like postgresql://user:password@host:5432/name"


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("mysql://u:geheim@db/x", f"DATABASE_URL has the scheme 'mysql', which is not PostgreSQL's: {WANTED}."),
        ("u:geheim@db/x", f"DATABASE_URL can't be read: {WANTED}."),
        ("postgresql://u:geheim@db:many/x", f"DATABASE_URL has a port that is no number: {WANTED}."),
        ("postgresql://u:geheim%zz@db/x", f"DATABASE_URL can't be read: {WANTED}."),
        (
            "postgresql://u:geheim@127.0.0.1:1/x",
            'connection to server at "127.0.0.1", port 1 failed: Connection refused',
        ),
        ("postgresql://u:geheim@nowhere.invalid/x", "nowhere.invalid"),
    ],
)
def test_a_wrong_database_url_is_told_in_one_line(url: str, line: str, tmp_path: Path) -> None:
    done = manage(tmp_path, "migrate", DATABASE_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr
    assert "geheim" not in done.stderr + done.stdout


def test_up_tells_in_one_line_that_there_is_no_database(tmp_path: Path) -> None:
    variables = {"DATABASE_URL": "postgresql://u:geheim@127.0.0.1:1/x", "ANTHROPIC_API_KEY": "test"}
    done = manage(tmp_path, "up", "--port", str(free_port()), **variables)
    assert done.returncode == 1
    assert re.fullmatch(r'Error: .*server at "127\.0\.0\.1", port 1 failed: Connection refused\n', done.stderr)
    assert "geheim" not in done.stderr + done.stdout


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "var"
    done = manage(folder, "up")
    assert done.returncode == 1
    assert done.stderr == f"Error: The data folder {folder} (COLLOQUY_DATA_DIR) can't be written: Not a directory.\n"


MISSING_KEY = (
    "There is no ANTHROPIC_API_KEY, and the sandbox, which is not Claude, would answer real users. "
    "Set the key, or allow the sandbox with --sandbox or COLLOQUY_ALLOW_SANDBOX=true."
)


@pytest.mark.parametrize(
    ("host", "variables"),
    [
        ("0.0.0.0", {}),
        ("::", {}),
        ("127.0.0.1", {"DJANGO_ALLOWED_HOSTS": "chat.example.com", "DJANGO_SECRET_KEY": "0123456789" * 5}),
    ],
)
def test_without_a_key_the_sandbox_does_not_answer_others(host: str, variables: dict[str, str], tmp_path: Path) -> None:
    done = manage(tmp_path, "serve", "--host", host, "--port", str(free_port()), **variables)
    assert (done.returncode, done.stderr) == (1, f"CommandError: {MISSING_KEY}\n")


def test_the_deployment_check_names_the_missing_key(tmp_path: Path) -> None:
    assert MISSING_KEY in manage(tmp_path, "check", "--deploy", "--tag", "claude").stderr
    allowed = manage(tmp_path, "check", "--deploy", "--tag", "claude", COLLOQUY_ALLOW_SANDBOX="true")
    assert allowed.returncode == 0
    assert "(config.W001)" in allowed.stderr
