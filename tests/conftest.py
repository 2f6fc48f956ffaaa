"""Shared fixtures: a real PostgreSQL, a real server process, and the sandbox of Claude's API, once per worker.

Each is started by the first test that needs it; tests of pure functions need none.

Nothing is emptied between tests: each creates its own users, and no user sees another's rows.
"""

from __future__ import annotations

import gc
import io
import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, connections
from django.test.utils import setup_databases, teardown_databases
from hypothesis import HealthCheck, settings

# Importing the tests' clients and servers takes longer than many tests of pure functions.
if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from conversations.sandbox.server import Sandbox
    from tests.browser import SharedBrowser
    from tests.clients import Api
    from tests.processes import ServerProcess

# The machine's speed is not what is tested.
# The same few examples in every run, so that failures are reproducible. `--hypothesis-profile exploring` tries more.
exploring = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("exploring", exploring)
settings.register_profile("any machine", exploring, derandomize=True, max_examples=30)
settings.load_profile("any machine")

# Slow files and folders, the slowest first: if they were begun last, the other workers would wait for them.
LONGEST = (
    *("test_pages_in_a_browser.py", "test_starting_and_stopping.py", "chaos", "front", "test_readme.py"),
    *("test_hostile_schemas.py", "test_finance_questions.py", "test_attachments.py", "test_recorded_streams.py"),
    *("test_reviewing_in_a_browser.py", "test_batches.py", "test_chatting_in_a_terminal.py", "contract"),
    *("test_starting_is_cheap.py", "test_crashes.py", "test_shutting_down.py", "test_postgres_faults.py"),
    *("test_disconnects.py", "test_the_worker.py", "test_resuming.py", "test_every_turn_ends.py"),
)

WORKERS = 4  # on two cores: two of them wait for something
FEW = 8  # files, for which starting workers costs more than it saves

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.hookimpl(tryfirst=True)  # before that of xdist, which counts cores
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of workers for a run: none for a few files, which the main process runs itself."""
    return WORKERS if len(files_of_tests(config)) > FEW else 0


def files_of_tests(config: pytest.Config) -> list[Path]:
    """Return the test files that a run includes."""
    asked = [Path(each.partition("::")[0]) for each in config.args]
    return [file for each in asked for file in (sorted(each.rglob("test_*.py")) if each.is_dir() else [each])]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest tests first."""
    items.sort(key=lambda item: min((LONGEST.index(part) for part in {*LONGEST} & {*item.path.parts}), default=99))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Exclude imported modules from garbage collection: they stay, and scanning them takes longer than many tests."""
    gc.disable()
    if worker := getattr(session.config, "workerinput", None):
        import_from(int(worker["workerid"].removeprefix("gw")) / worker["workercount"], files_of_tests(session.config))
    result = yield
    gc.freeze()
    gc.enable()
    return result


def import_from(share: float, files: list[Path]) -> None:
    """Import files, starting after this share (0 to 1) of them. Errors are reported at their collection.

    Pytest rewrites the assertions of each file, which is half of the time of collecting, and caches the result. Workers
    that begin at different files share this work.
    """
    first = int(share * len(files))
    for file in files[first:] + files[:first]:
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(file.resolve().relative_to(ROOT).with_suffix("").parts))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Provide the sandbox, which stands in for Claude in all tests."""
    from django.conf import settings

    from conversations.sandbox.server import running_sandbox

    with running_sandbox(pace=0.0) as running:
        settings.ANTHROPIC_BASE_URL = running.url
        settings.ANTHROPIC_API_KEY = "test"
        yield running


END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="session")
def django_db_setup(sandbox: Sandbox, django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Provide the test database. (pytest-django's own fixture looks for marks, to find out which tests need one.)

    It depends on the sandbox, since code that uses the database may send requests to Claude.
    """
    from config import local
    from tests import forked, migrated

    forked.prepare()
    with django_db_blocker.unblock():
        if not os.environ.get("DATABASE_URL"):
            migrated.give_postgres(local.data_dir())
            connection.settings_dict["TEST"]["TEMPLATE"] = connection.settings_dict["NAME"]
        databases = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
        yield
        with connection.cursor() as cursor:
            cursor.execute(END_OTHERS)  # connections of processes that were killed, and of proxies of PostgreSQL
        connection.close()
        teardown_databases(databases, verbosity=0)


@pytest.fixture(scope="session")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Provide the URL of the test database, and open it to every test."""
    from tests.processes import database_url

    with django_db_blocker.unblock():
        yield database_url(connection)


@pytest.fixture(scope="session")
def uvicorn_server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a server process on uvicorn, as `manage.py serve` runs it."""
    from tests.processes import ServerProcess

    with ServerProcess("uvicorn", database, sandbox.url) as process:
        yield process


@pytest.fixture(scope="session")
def daphne_server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """Provide a server process on Daphne."""
    from tests.processes import ServerProcess

    with ServerProcess("daphne", database, sandbox.url) as process:
        yield process


@pytest.fixture
def server(uvicorn_server: ServerProcess) -> ServerProcess:
    """Provide the server that most tests use."""
    return uvicorn_server


@pytest.fixture
def api(server: ServerProcess, sandbox: Sandbox) -> Iterator[Api]:
    """Provide a new user's access to the server, after clearing the sandbox's record of earlier requests."""
    from tests.clients import Api

    sandbox.requests.clear()  # searching megabytes of old images takes a second
    with Api(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def somebody(uvicorn_server: ServerProcess) -> Iterator[Api]:
    """Provide one user for all tests of a file that look at nothing but their own objects."""
    from tests.clients import Api

    with Api(uvicorn_server.url) as client:
        yield client


@pytest.fixture
def other(server: ServerProcess) -> Iterator[Api]:
    """Provide another new user's access to the server."""
    from tests.clients import Api

    with Api(server.url) as client:
        yield client


@pytest.fixture(scope="session")
def shared_browser() -> Iterator[SharedBrowser]:
    """Provide a browser for all files, or skip if this machine has none."""
    from tests import browser

    if browser.found() is None:
        pytest.skip("there is no Chromium here (COLLOQUY_BROWSER)")
    with browser.shared() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(shared_browser: SharedBrowser) -> Iterator[Browser]:
    """Provide the browser to a file all of whose tests use it, with Django usable beside Playwright's event loop."""
    with pytest.MonkeyPatch.context() as environment, shared_browser.used() as running:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield running
        connections.close_all()  # those of that loop, which nobody else would close


def pytest_sessionfinish() -> None:
    """Stop the embedded PostgreSQL, if the run has started it."""
    from config import local

    if not os.environ.get("DATABASE_URL"):
        local.stop_postgres()


@pytest.fixture(scope="session")
def png() -> bytes:
    """Provide a small PNG image."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(buffer, "PNG")
    return buffer.getvalue()
