"""Reading settings from environment variables. An unreadable value is refused with the variable's name."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from decimal import Decimal

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

ORIGIN = re.compile(r"https?://([\w-]+(\.[\w-]+)*|\[[\da-f:]+\])(:\d{1,5})?")


def env_bool(name: str, default: bool) -> bool:
    """Return a boolean variable; `default` if it is unset or empty.

    Raises ImproperlyConfigured where it is neither true nor false.
    """
    value = os.environ.get(name, "").strip().lower()
    if value in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if value == "" else value in ("1", "true", "yes", "on")
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def env_number(name: str, default: float) -> float:
    """Return a variable that is a number of zero or more; `default` if it is unset or empty.

    Raises ImproperlyConfigured for anything else.
    """
    try:
        number = float(os.environ.get(name) or default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number, not {os.environ[name]!r}.") from error
    if not 0 <= number < math.inf:  # also false for NaN
        raise ImproperlyConfigured(f"{name} must be zero or more, not {number:g}.")
    return number


def env_prices(name: str, default: str) -> tuple[Decimal, Decimal]:
    """Return the prices of input and of output, in US dollars, from a variable with both, separated by a slash.

    `default` is used if it is unset or empty. Raise ImproperlyConfigured for anything but two prices.
    """
    try:
        input, output = map(Decimal, (os.environ.get(name) or default).split("/"))
    except (ArithmeticError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} must be two prices, of input and of output, such as {default}.") from error
    if not all(price.is_finite() and price >= 0 for price in (input, output)):
        raise ImproperlyConfigured(f"{name} must be two prices of zero or more, such as {default}.")
    return input, output


def env_list(name: str) -> list[str]:
    """Return the items of a comma-separated variable, without empty ones."""
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


def env_origins(name: str) -> list[str]:
    """Return the origins in a comma-separated variable, each `scheme://host[:port]`, or `*` alone for all.

    Raises ImproperlyConfigured for anything else.
    """
    origins = [origin.rstrip("/") for origin in env_list(name)]
    if origins != ["*"] and not all(ORIGIN.fullmatch(origin) for origin in origins):
        raise ImproperlyConfigured(f"{name} must be * alone, or origins such as https://chat.example.com:8443.")
    return origins


def database_parts(url: str) -> dict[str, str]:
    """Return the parts of a database's URL in libpq's names.

    Raises ImproperlyConfigured, without quoting the URL's password, where they cannot be read.
    """
    wanted = "it must be like postgresql://user:password@host:5432/name"
    scheme = url.partition(":")[0]
    if "://" in url and scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL has the scheme {scheme!r}, which is not PostgreSQL's: {wanted}.")
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.Error:  # the error's message quotes from the URL
        raise ImproperlyConfigured(f"DATABASE_URL can't be read: {wanted}.") from None
    if not all(port.isdecimal() for port in parts.get("port", "0").split(",")):
        raise ImproperlyConfigured(f"DATABASE_URL has a port that is no number: {wanted}.")
    return parts


PREPARING = {"prepare_threshold": 5}
"""Psycopg's own default: with Django's, which is None, nothing is prepared, not even what asks for it."""


def database(pool: Mapping[str, object]) -> dict[str, object]:
    """Return the default database, with the options of its pool: `DATABASE_URL`, or the embedded server.

    Raises ImproperlyConfigured where `DATABASE_URL` cannot be read.
    """
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return {"ENGINE": "config.embedded", "NAME": "postgres", "OPTIONS": {"pool": pool, **PREPARING}}
    parts = database_parts(url)
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return {
        "ENGINE": "config.postgres",
        **{setting: parts.pop(name, "") for name, setting in named.items()},
        "OPTIONS": {**PREPARING, **parts, "pool": pool},
    }


def attachment_storage() -> dict[str, object]:
    """Return the storage of attachments: the data folder, or the bucket in COLLOQUY_S3_BUCKET."""
    bucket = os.environ.get("COLLOQUY_S3_BUCKET", "")
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    # boto3 finds credentials and region by itself. Objects are private.
    options = {
        "bucket_name": bucket,
        "endpoint_url": os.environ.get("COLLOQUY_S3_ENDPOINT") or None,
        "location": os.environ.get("COLLOQUY_S3_PREFIX", ""),
        "default_acl": None,
        "querystring_auth": True,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
