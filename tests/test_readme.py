"""The README is right: `up` in an empty folder, the examples, a clean stop and a clean restart."""

from __future__ import annotations

import json
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from tests import clients, readme
from tests.commands import manage
from tests.processes import living, processes_of
from tests.up import Up, running_up
from tests.waiting import until


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    with running_up(from_nothing=True) as running:
        yield running


def here(code: str, up: Up) -> str:
    """Return an example of the README with this run's data folder in its paths."""
    return re.sub(r"\bvar/", f"{up.folder}/", code)


def test_the_shell_example_works(up: Up) -> None:
    [code] = [code for language, code in readme.blocks("executed") if language == "bash"]
    output = up.run("bash", "-euo", "pipefail", "-c", here(code, up))
    assert '"stop_reason":"end_turn"' in output.replace(" ", "")
    assert "event: turn_end" in output
    assert 'data: {"done": true}' in output
    assert '"jane@example.com"' in output


def test_a_worker_that_dies_is_followed_by_another(up: Up) -> None:
    first = until(lambda: workers_of(up))
    first[0].kill()
    until(lambda: workers_of(up) not in ([], first))


def workers_of(up: Up) -> list[psutil.Process]:
    """Return the running workers of `up`."""
    return living(psutil.Process(up.process.pid).children(), "worker")


def test_chat_talks_to_the_running_server(up: Up) -> None:
    assert "[sandbox] You said: Good day" in manage(up.folder, "chat", "Good day").stdout


def test_commands_beside_it_use_its_database(up: Up) -> None:
    code = "from conversations.models import User; print('users', User.objects.count())"
    assert "users 1" in manage(up.folder, "shell", "-v0", "-c", code).stdout


def test_it_stops_cleanly_and_restarts_on_the_same_data(up: Up) -> None:
    sandbox = json.loads((up.folder / "sandbox.json").read_text())["url"]
    token = (up.folder / "token").read_text()
    before = conversations_at(up, token)
    line = check_what_it_prints(up, up.stop(signal.SIGINT), token)
    assert not (up.folder / "postgres" / "postmaster.pid").exists()
    assert processes_of(up.folder) == []
    with pytest.raises(httpx2.HTTPError):
        clients.get(sandbox)
    again = Up(str(up.folder), "up", "--port", str(up.port))
    again.port, again.url = up.port, up.url
    again.wait_until_up()
    assert conversations_at(again, token) == before
    assert "event: turn_end" in again.run("bash", "-c", line)
    printed = again.stop()
    assert "password" not in printed
    assert token not in printed


def conversations_at(up: Up, token: str) -> list[str]:
    """Return the ids of the newest conversations of the user with this token."""
    found = clients.get(f"{up.url}/api/conversations/", headers={"Authorization": f"Bearer {token}"})
    return [each["id"] for each in found.json()["results"]]


def check_what_it_prints(up: Up, printed: str, token: str) -> str:
    """Check everything that the first `up` printed until it was stopped; return its curl command."""
    assert "password" in printed
    assert token in printed
    assert "Traceback" not in printed
    assert printed.rstrip().endswith("Stopped.")
    greeted = printed[printed.index("Colloquy is ready") : printed.index("Ctrl-C stops it.")]
    assert max(map(len, greeted.replace(str(up.folder), "var").splitlines())) <= 80
    [line] = re.findall(r"curl -N .*", printed)
    assert "-K" in line
    return str(line)


@pytest.mark.parametrize("variables", [{"DJANGO_DEBUG": "false"}, {"DJANGO_ALLOWED_HOSTS": "example.com"}])
def test_production_without_a_secret_refuses_to_start(variables: dict[str, str], tmp_path: Path) -> None:
    done = manage(tmp_path, "check", **variables)
    assert done.returncode != 0
    assert "DJANGO_SECRET_KEY must be set" in done.stderr


def test_runserver_serves_on_daphne(database: str) -> None:
    with tempfile.TemporaryDirectory(prefix="cq", ignore_cleanup_errors=True) as folder:
        running = Up(folder, "runserver", "--noreload", "{port}", DATABASE_URL=database, ANTHROPIC_API_KEY="test")
        running.wait_until_up()
        server = clients.get(f"{running.url}/api/docs/")
        assert server.status_code == 200
        running.stop(signal.SIGKILL)
