"""Normalising values: numbers, dates, white space and letter case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache

from conversations.exact_json import dumps
from conversations.json_types import JSON

LONGEST = 60  # characters of a text that may be a number or a date
AROUND_NUMBERS = re.compile(r"^[\s$€£¥₹%]+|[\s$€£¥₹%]+$|^(?:usd|eur|gbp|chf|jpy)\s|\s(?:usd|eur|gbp|chf|jpy)$")
POINT = re.compile(r"[+-]?(?:\d{1,3}(?:[, '\u2019]\d{3})+|\d+)(?:\.\d+)?")
COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:[. '\u2019]\d{3})+|\d+)(?:,\d+)?")
NOT_DIGITS = re.compile(r"[^\d.+-]")
DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y"),
    *("%m/%d/%y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y", "%d. %B %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y"),
    "%d-%b-%Y",
)
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
WORD = re.compile(r"[^\W\d_]+")
REMEMBERED = 20_000  # texts whose readings are remembered: data is often compared with more than one of its kind


def readings(value: JSON) -> frozenset[str]:
    """Return the possible meanings of a value, as comparable strings. Values with a common one have the same meaning.

    An ambiguous text has several: `03/04/2026` is a day of March and of April, `1.234` is a number of about one and of
    about a thousand.
    """
    if isinstance(value, bool):
        return frozenset([f"text {str(value).lower()}"])
    if isinstance(value, int | float | Decimal):
        return frozenset([_of_number(Decimal(str(value)))])
    if isinstance(value, str):
        return _of_short_text(value) if len(value) <= LONGEST else _of_text(value)
    return frozenset([f"json {dumps(value, sort_keys=True)}"])


def _of_text(text: str) -> frozenset[str]:
    return frozenset(_text_readings(text))


_of_short_text = lru_cache(REMEMBERED)(_of_text)


def _text_readings(text: str) -> Iterator[str]:
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    yield f"text {plain}"
    if len(plain) <= LONGEST and any(character.isdigit() for character in plain):
        yield from _numbers(plain)
        yield from _days(plain)


def _numbers(text: str) -> Iterator[str]:
    bare = AROUND_NUMBERS.sub("", text)
    bare = AROUND_NUMBERS.sub("", bare)
    with suppress(InvalidOperation):
        if POINT.fullmatch(bare):
            yield _of_number(Decimal(NOT_DIGITS.sub("", bare)))
        if COMMA.fullmatch(bare):
            yield _of_number(Decimal(NOT_DIGITS.sub("", bare.replace(".", "").replace(",", "."))))


def _of_number(number: Decimal) -> str:
    if not number:
        return "number 0"
    sign, digits, exponent = number.as_tuple()
    bare = "".join(map(str, digits))
    stripped = bare.rstrip("0")
    return f"number {'-' if sign else ''}{stripped.lstrip('0')}e{int(exponent) + len(bare) - len(stripped)}"


def _days(text: str) -> Iterator[str]:
    day = ORDINAL.sub("", text)
    with suppress(ValueError):
        moment = datetime.fromisoformat(day.upper())
        yield f"day {moment.date()}" if len(day) <= len("2026-01-01") else f"time {moment.isoformat()}"
        if moment.time() == datetime.min.time():
            yield f"day {moment.date()}"
    for form in _forms().get(_shape(day), ()):
        with suppress(ValueError):
            yield f"day {datetime.strptime(day, form).date()}"


def _shape(text: str) -> str:
    """Return the pattern of a text without its digits and the letters of its words."""
    return WORD.sub("a", "".join(character for character in text if not character.isdecimal()))


@cache
def _forms() -> dict[str, list[str]]:
    """Return the forms of DATES by the patterns of their texts: trying one takes 10 us."""
    found: dict[str, list[str]] = {}
    for form in DATES:
        shape = form.replace("%B", "a").replace("%b", "a")
        found.setdefault(re.sub("%.", "", shape), []).append(form)
    return found
