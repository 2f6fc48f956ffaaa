"""A real PostgreSQL, a real server process, and the sandbox of Claude's API, once for the whole run.

The first test that asks for one of them starts it: tests of pure functions need none.

Nothing is emptied between tests: each makes users of its own, and no user sees another's rows.
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

# The clients and servers of the tests take longer to import than what many a test of pure functions does.
if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from conversations.sandbox.server import Sandbox
    from tests.browser import SharedBrowser
    from tests.clients import Api
    from tests.processes import ServerProcess

# How fast the machine is says nothing of what is promised.
# The same few examples in every run: a change fails by its own fault. `--hypothesis-profile exploring` looks further.
exploring = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("exploring", exploring)
settings.register_profile("any machine", exploring, derandomize=True, max_examples=30)
settings.load_profile("any machine")

# Files and folders that take long, the longest first: if they were begun last, the others would wait for them.
LONGEST = (
    *("test_pages_in_a_browser.py", "test_starting_and_stopping.py", "chaos", "front", "test_readme.py"),
    *("test_hostile_schemas.py", "test_finance_questions.py", "test_attachments.py", "test_recorded_streams.py"),
    *("test_reviewing_in_a_browser.py", "test_batches.py", "test_chatting_in_a_terminal.py", "contract"),
    *("test_starting_is_cheap.py", "test_crashes.py", "test_shutting_down.py", "test_postgres_faults.py"),
    *("test_disconnects.py", "test_the_worker.py", "test_resuming.py", "test_every_turn_ends.py"),
)

WORKERS = 4  # on two cores: two of them wait for something
FEW = 8  # files: to start the workers takes longer than what they save

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.hookimpl(tryfirst=True)  # before that of xdist, which counts cores
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of workers for a run: none for a few files, which the process that is there works off."""
    return WORKERS if len(files_of_tests(config)) > FEW else 0


def files_of_tests(config: pytest.Config) -> list[Path]:
    """Return the files of tests that a run is asked for."""
    asked = [Path(each.partition("::")[0]) for each in config.args]
    return [file for each in asked for file in (sorted(each.rglob("test_*.py")) if each.is_dir() else [each])]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that take longest first."""
    items.sort(key=lambda item: min((LONGEST.index(part) for part in {*LONGEST} & {*item.path.parts}), default=99))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Have the search for garbage leave out what is imported, which stays: it takes longer than many a test."""
    gc.disable()
    if worker := getattr(session.config, "workerinput", None):
        import_from(int(worker["workerid"].removeprefix("gw")) / worker["workercount"], files_of_tests(session.config))
    result = yield
    gc.freeze()
    gc.enable()
    return result


def import_from(share: float, files: list[Path]) -> None:
    """Import files, those after this share of them first. What can't be imported is told where it is collected.

    Pytest rewrites the assertions of a file, which takes as long as all else that collecting is, where no other process
    has: workers that begin at different files do that once together.
    """
    first = int(share * len(files))
    for file in files[first:] + files[:first]:
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(file.resolve().relative_to(ROOT).with_suffix("").parts))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Claude, as far as the tests are concerned."""
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
    """The test database. (pytest-django's own looks for marks, to find out which tests need one.)

    What has it may ask Claude, which is to be the sandbox.
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
            cursor.execute(END_OTHERS)  # of processes that were killed, and of relays between one and PostgreSQL
        connection.close()
        teardown_databases(databases, verbosity=0)


@pytest.fixture(scope="session")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The address of the test database, open to every test."""
    from tests.processes import database_url

    with django_db_blocker.unblock():
        yield database_url(connection)


@pytest.fixture(scope="session")
def uvicorn_server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """A process of the platform on uvicorn, as `manage.py serve` runs it."""
    from tests.processes import ServerProcess

    with ServerProcess("uvicorn", database, sandbox.url) as process:
        yield process


@pytest.fixture(scope="session")
def daphne_server(database: str, sandbox: Sandbox) -> Iterator[ServerProcess]:
    """A process of the platform on Daphne."""
    from tests.processes import ServerProcess

    with ServerProcess("daphne", database, sandbox.url) as process:
        yield process


@pytest.fixture
def server(uvicorn_server: ServerProcess) -> ServerProcess:
    """The server that most tests use."""
    return uvicorn_server


@pytest.fixture
def api(server: ServerProcess, sandbox: Sandbox) -> Iterator[Api]:
    """A new user's access to the server; what the sandbox was asked in earlier tests is forgotten."""
    from tests.clients import Api

    sandbox.requests.clear()  # to look through megabytes of old images takes a second
    with Api(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def somebody(uvicorn_server: ServerProcess) -> Iterator[Api]:
    """One user for all tests of a file that look at nothing but what each of them has made."""
    from tests.clients import Api

    with Api(uvicorn_server.url) as client:
        yield client


@pytest.fixture
def other(server: ServerProcess) -> Iterator[Api]:
    """Another new user's."""
    from tests.clients import Api

    with Api(server.url) as client:
        yield client


@pytest.fixture(scope="session")
def shared_browser() -> Iterator[SharedBrowser]:
    """A browser for all files, if there is one on this machine."""
    from tests import browser

    if browser.found() is None:
        pytest.skip("there is no Chromium here (COLLOQUY_BROWSER)")
    with browser.shared() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(shared_browser: SharedBrowser) -> Iterator[Browser]:
    """The browser for a file whose tests all use it. Meanwhile Django works in spite of Playwright's event loop."""
    with pytest.MonkeyPatch.context() as environment, shared_browser.used() as running:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield running
        connections.close_all()  # those of that loop, which nobody else would close


def pytest_sessionfinish() -> None:
    """Stops the embedded PostgreSQL, if the run has started it."""
    from config import local

    if not os.environ.get("DATABASE_URL"):
        local.stop_postgres()


@pytest.fixture(scope="session")
def png() -> bytes:
    """A small image."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(buffer, "PNG")
    return buffer.getvalue()
