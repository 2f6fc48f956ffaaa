"""Finding values for fields in a text: behind words that resemble the field's name. Pure.

Values are found by simple rules, so that trials with simple documents look as they would with Claude. The text is not
understood.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from conversations.json_types import JSON

MOST_READ = 200_000  # characters
CONTEXT = 60  # characters before a value in which its label is looked for
NEAR = 4  # words before a value are its label
ENOUGH = 0.5  # of a field's words have to be in the label
EXTRA = 0.02  # is taken off for each other word in the label

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DATES = [
    r"\d{4}-\d\d?-\d\d?",
    r"\d\d?[./]\d\d?[./]\d{4}",
    rf"\d\d?\.? {MONTH} \d{{4}}",
    rf"{MONTH} \d\d?,? \d{{4}}",
]
PATTERNS = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "url": re.compile(r"https?://[^\s\"'<>|]+"),
    "phone": re.compile(r"\+?\d[\d ()/-]{6,}\d"),
    "date": re.compile(rf"\b(?:{'|'.join(DATES)})\b", re.IGNORECASE),
    "number": re.compile(r"(?<![\w.,])[-\u2212]?\d+(?:[.,'\u00a0\u202f]\d{3})*(?:[.,]\d+)?(?![\w%]| %|[.,]\d)"),
    "code": re.compile(r"(?<![\w@.])(?=[\w/-]*\d)[A-Za-z0-9][\w/-]*(?![\w@])"),
    "currency": re.compile(r"\b(?:AUD|CAD|CHF|CNY|EUR|GBP|INR|JPY|USD)\b|[€$£¥₹]"),
    "name": re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)*\b"),
    "boolean": re.compile(r"\b(?:yes|no|not|true|false|never)\b", re.IGNORECASE),
}
SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR"}
LABEL_WORD = r"[^\W\d][\w.'/()-]{0,30}"
LABELLED = re.compile(
    rf"(?:(?<=\s)|^)({LABEL_WORD}(?: {LABEL_WORD}){{0,3}}):[ \t]+"
    r"(\S[^\n|]*?)(?=\s{2,}|\s\|\s|\n|$|\s+[A-Z][\w ]{1,20}:\s)",
    re.MULTILINE,
)
COLUMNS = re.compile(r"\s{2,}|\t|\|")
WORD = re.compile(r"[^\W_]+|[#№]")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

SAME = [
    {"total", "sum", "amount", "due", "payable"},
    {"number", "no", "nr", "n", "num", "numero", "numéro", "nummer", "id", "reference", "ref", "#", "№"},
    {"invoice", "bill", "receipt", "facture", "rechnung"},
    {"vendor", "seller", "supplier", "from", "issuer", "sender", "company", "merchant"},
    {"customer", "buyer", "client", "to", "recipient"},
    {"tax", "vat", "gst", "mwst", "tva"},
    {"quantity", "qty", "count", "units"},
    {"description", "item", "product", "article", "name", "service", "title"},
    {"price", "rate", "unit", "cost", "amount"},
    {"date", "dated", "day", "issued"},
    {"person", "name", "contact"},
]
"""Words that are taken for each other."""
VERBS = ["Extract", "Contact", "Please", "Find", "Return", "Give", "Call", "Write"]
GENERIC = frozenset(["date", "day", "number", "no", "id", "amount", "value", "name"])
"""Words that say what kind of value it is: a due date is not just any date."""
LITTLE = 0.4
NOT_NAMES = frozenset([*VERBS, "From", "The", "This", "Name", "Email", "Dear", "Hello", "Hi"])


@dataclass(frozen=True)
class Found:
    """A value, and its quote in the text."""

    value: JSON
    quote: str


@dataclass(frozen=True)
class _Candidate:
    """A place that looks like a value, with the words before it."""

    text: str
    label: tuple[str, ...]


def words_of(name: str) -> list[str]:
    """Return the words of a field's name (`invoice_no`, `invoiceNo`) or of a label, in lower case."""
    return [word.lower() for word in WORD.findall(CAMEL.sub(" ", name))]


@lru_cache(maxsize=4096)
def like(word: str) -> frozenset[str]:
    """Return the synonyms of a word, itself included."""
    return frozenset({word}.union(*(group for group in SAME if word in group)))


def likeness(words: Sequence[str], label: Sequence[str]) -> float:
    """Return how well a label matches a field's words: 1 if it has all of them, a little less for each other word."""
    there = frozenset(label)
    weights = [LITTLE if word in GENERIC and len(words) > 1 else 1.0 for word in words]
    fits = [1.0 if word in there else 0.8 if like(word) & there else 0.0 for word in words]
    has = sum(fit * weight for fit, weight in zip(fits, weights, strict=True))
    return has / (sum(weights) or 1.0) - EXTRA * max(len(label) - len(words), 0)


class TextValues:
    """The values of one text."""

    def __init__(self, text: str) -> None:
        self.text = text[:MOST_READ]
        self._candidates: dict[str, list[_Candidate]] = {}

    def find(self, kind: str, words: Sequence[str]) -> Found | None:
        """Return the value of a kind whose label matches a field's words best, or None."""
        named = self._labelled if kind in ("name", "text") else self._of_kind(kind)
        best = max(named, key=lambda each: likeness(words, each.label), default=None)
        if best is None or likeness(words, best.label) < ENOUGH:
            return None
        return found(kind, best.text)

    def first(self, kind: str) -> Found | None:
        """Return the first value of a kind, or None."""
        if kind == "name":
            quoted = " ".join(re.findall(r'"([^"]*)"', self.text)) or self.text
            names = (_without_verbs(name) for name in PATTERNS["name"].findall(quoted))
            return next((Found(name, name) for name in names if name), None)
        return next(iter(self.all(kind)), None)

    def all(self, kind: str) -> list[Found]:
        """Return all values of a kind, in order."""
        return [found(kind, each.text) for each in self._of_kind(kind)]

    @cached_property
    def _labelled(self) -> list[_Candidate]:
        said = [(label, value.strip()) for label, value in LABELLED.findall(self.text)]
        return [_Candidate(value, tuple(words_of(label))) for label, value in said if not value.startswith('"')]

    def _of_kind(self, kind: str) -> list[_Candidate]:
        if kind not in self._candidates:
            self._candidates[kind] = list(self._find_all(kind))
        return self._candidates[kind]

    def _find_all(self, kind: str) -> list[_Candidate]:
        candidates = []
        end = 0
        for match in PATTERNS[kind].finditer(self.text):
            if kind == "code" and PATTERNS["date"].fullmatch(match[0]):
                continue
            label = words_of(self._before(match.start(), end))[-NEAR:]
            candidates.append(_Candidate(match[0], tuple(label)))
            end = match.end()
        return candidates

    def _before(self, start: int, end: int) -> str:
        """Return the text before a value in its line, after the previous value; or else the line above."""
        line = self.text.rfind("\n", 0, start) + 1
        before = self.text[max(line, end, start - CONTEXT) : start]
        if WORD.search(before) or line == 0:
            return COLUMNS.split(before.rstrip())[-1]
        above = self.text.rfind("\n", 0, line - 1) + 1
        return self.text[max(above, line - CONTEXT) : line]


def found(kind: str, text: str) -> Found:
    """Return a value in the JSON form of its kind, with its quote."""
    value: JSON = text
    if kind == "number":
        value = number(text)
    elif kind == "date":
        value = iso_date(text)
    elif kind == "currency":
        value = SYMBOLS.get(text, text)
    elif kind == "boolean":
        value = text.lower() in ("yes", "true")
    return Found(value, text)


def number(text: str) -> int | float:
    """Parse a number, with a point or a comma before its fraction."""
    digits = re.sub("['\u00a0\u202f]", "", text.replace("\u2212", "-"))
    whole, mark, fraction = max(digits.rpartition("."), digits.rpartition(","), key=lambda parts: len(parts[0]))
    thousands = (len(fraction) == 3 and mark == ",") or digits.count(mark) > 1
    if not mark or thousands:
        return int(re.sub(r"[.,]", "", digits))
    return float(f"{re.sub(r'[.,]', '', whole)}.{fraction}")


def iso_date(text: str) -> str:
    """Return a date as YYYY-MM-DD; if both are numbers, the day comes before the month."""
    numbers = [int(each) for each in re.findall(r"\d+", text)]
    month = re.search(MONTH, text, re.IGNORECASE)
    if month:
        numbers.insert(1, MONTHS.index(month[0][:3].lower()) + 1)
    year, middle, last = numbers if numbers[0] > 31 else numbers[::-1]
    try:
        return date(year, *((middle, last) if middle <= 12 else (last, middle))).isoformat()
    except ValueError:
        return text


def _without_verbs(name: str) -> str:
    return " ".join(word for word in name.split() if word not in NOT_NAMES)
