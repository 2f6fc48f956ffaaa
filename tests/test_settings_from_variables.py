"""Environment variables are parsed by type, and an unreadable one is refused by its name."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment

NAME = "COLLOQUY_TRIED"


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Provide a function that sets or unsets the variable."""

    def give(value: str | None) -> None:
        monkeypatch.setenv(NAME, value) if value is not None else monkeypatch.delenv(NAME, raising=False)

    return give


@pytest.mark.parametrize(
    ("values", "default", "expected"),
    [
        (["1", "true", "Yes", " ON "], False, True),
        (["0", "false", "No", "OFF\n"], True, False),
        ([None, "", "  "], True, True),
        ([None, "", "  "], False, False),
    ],
)
def test_yes_and_no(variable: Any, values: list[str | None], default: bool, expected: bool) -> None:
    for value in values:
        variable(value)
        assert environment.env_bool(NAME, default) is expected


@pytest.mark.parametrize("value", ["y", "2", "truth", "-1", "tru e"])
def test_what_is_neither_yes_nor_no_is_refused(variable: Any, value: str) -> None:
    variable(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be true or false, not '{value}'"):
        environment.env_bool(NAME, True)


@pytest.mark.parametrize(
    ("value", "number"), [(None, 7.5), ("", 7.5), ("0", 0), ("12", 12), (" 0.25 ", 0.25), ("1e3", 1000), ("-0", 0)]
)
def test_a_number(variable: Any, value: str | None, number: float) -> None:
    variable(value)
    assert environment.env_number(NAME, 7.5) == number


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("many", "must be a number, not 'many'"),
        ("1,5", "must be a number"),
        ("-1", "must be zero or more, not -1"),
        ("nan", "must be zero or more, not nan"),
        ("inf", "must be zero or more, not inf"),
        ("-inf", "must be zero or more, not -inf"),
        ("1e400", "must be zero or more, not inf"),
    ],
)
def test_what_is_no_number_of_zero_or_more_is_refused(variable: Any, value: str, complaint: str) -> None:
    """Converting infinity or NaN to an integer would end the start with a traceback."""
    variable(value)
    with pytest.raises(ImproperlyConfigured, match=f"^{NAME} {complaint}"):
        environment.env_number(NAME, 7.5)


@pytest.mark.parametrize(
    ("value", "prices"),
    [(None, ("3", "15")), ("", ("3", "15")), ("0/0", ("0", "0")), (" 0.25 / 1.50", ("0.25", "1.50"))],
)
def test_prices(variable: Any, value: str | None, prices: tuple[str, str]) -> None:
    variable(value)
    assert environment.env_prices(NAME, "3/15") == tuple(map(Decimal, prices))


@pytest.mark.parametrize("value", ["3", "3/", "/15", "3/15/1", "three/15", "-1/15", "3/-1", "nan/1", "1/inf"])
def test_anything_but_two_prices_is_refused(variable: Any, value: str) -> None:
    variable(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be two prices.*such as 3/15"):
        environment.env_prices(NAME, "3/15")


@pytest.mark.parametrize(
    ("value", "items"), [(None, []), ("", []), (" , ,", []), ("a", ["a"]), (" a ,b,,c d ", ["a", "b", "c d"])]
)
def test_a_list(variable: Any, value: str | None, items: list[str]) -> None:
    variable(value)
    assert environment.env_list(NAME) == items


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", []),
        ("*", ["*"]),
        ("https://chat.example.com/", ["https://chat.example.com"]),
        ("http://localhost:3000, https://a-b.c_d", ["http://localhost:3000", "https://a-b.c_d"]),
        ("http://[::1]:8000,http://127.0.0.1", ["http://[::1]:8000", "http://127.0.0.1"]),
    ],
)
def test_origins(variable: Any, value: str, origins: list[str]) -> None:
    variable(value)
    assert environment.env_origins(NAME) == origins


@pytest.mark.parametrize(
    "value",
    [
        "chat.example.com",
        "ftp://a.b",
        "https://",
        "https://a.b/path",
        "https://*.a.b",
        "https://a..b",
        "https://a.b:",
        "https://a.b:x",
        "https://u:p@a.b",
        "*, https://a.b",
        "null",
        "https://a.b?c",
        "https://a.b evil",
    ],
)
def test_what_is_no_origin_is_refused(variable: Any, value: str) -> None:
    variable(value)
    with pytest.raises(ImproperlyConfigured, match=rf"^{NAME} must be \* alone, or origins"):
        environment.env_origins(NAME)


DATABASES = {
    "postgresql://user:p%40ss@host:5433/name": {
        "user": "user",
        "password": "p@ss",
        "host": "host",
        "port": "5433",
        "dbname": "name",
    },
    "postgres:///name?host=/run/sock&sslmode=require": {"dbname": "name", "host": "/run/sock", "sslmode": "require"},
    "postgresql://a:1,b:2/name": {"host": "a,b", "port": "1,2", "dbname": "name"},
    "host=a dbname=b": {"host": "a", "dbname": "b"},
}


@pytest.mark.parametrize("url", DATABASES)
def test_the_address_of_a_database(url: str) -> None:
    assert environment.database_parts(url) == DATABASES[url]


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://user:secret@host/name", "has the scheme 'mysql', which is not PostgreSQL's"),
        ("postgresql://user:secret@host:port/name", "has a port that is no number"),
        ("postgresql://user:secret@[host/name", "can't be read"),
        ("secret", "can't be read"),
        ("postgresql://host/name?secret=1", "can't be read"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(url: str, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape(complaint)) as refused:
        environment.database_parts(url)
    assert "secret" not in str(refused.value)
    assert "must be like postgresql://user:password@host:5432/name" in str(refused.value)


def test_a_database_that_is_named_is_used_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@h:1/n?sslmode=require")
    found = environment.database({"max_size": 3})
    assert {name: found[name] for name in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "ENGINE": "config.postgres",
        "NAME": "n",
        "USER": "u",
        "PASSWORD": "p",
        "HOST": "h",
        "PORT": "1",
    }
    assert found["OPTIONS"] == {"prepare_threshold": 5, "sslmode": "require", "pool": {"max_size": 3}}


def test_without_one_it_is_the_embedded_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for unset in ("", None):
        monkeypatch.setenv("DATABASE_URL", "") if unset == "" else monkeypatch.delenv("DATABASE_URL")
        assert environment.database({}) == {
            "ENGINE": "config.embedded",
            "NAME": "postgres",
            "OPTIONS": {"pool": {}, "prepare_threshold": 5},
        }


def test_files_are_in_a_folder_or_in_the_bucket_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BUCKET", "ENDPOINT", "PREFIX"):
        monkeypatch.delenv(f"COLLOQUY_S3_{name}", raising=False)
    assert environment.attachment_storage() == {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    monkeypatch.setenv("COLLOQUY_S3_BUCKET", "team")
    options: Any = environment.attachment_storage()["OPTIONS"]
    assert (options["bucket_name"], options["endpoint_url"], options["location"]) == ("team", None, "")
    assert (options["default_acl"], options["querystring_auth"]) == (None, True), "nobody else reads them"
    monkeypatch.setenv("COLLOQUY_S3_ENDPOINT", "https://s3.example.com")
    monkeypatch.setenv("COLLOQUY_S3_PREFIX", "files")
    options = environment.attachment_storage()["OPTIONS"]
    assert (options["endpoint_url"], options["location"]) == ("https://s3.example.com", "files")
