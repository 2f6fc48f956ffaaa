"""Parsing search queries. Pure; every string is a query, and only quotation marks are operators."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from conversations.content.search_text import BOUNDARY, WORD_LIMIT, folded, marked, pieces

_TERMS = re.compile(r'"(?P<phrase>[^"]+)(?P<closed>"?)|(?P<words>[^\s"]+)')
_BEFORE, _AFTER = "([{'<", ".,;:!?)]}'>…。、"
"""Punctuation around words, which is often pasted with them."""


@dataclass(frozen=True)
class Term:
    """A word or a phrase to find: literally, or with its last word as a prefix."""

    text: str
    """The typed text, folded."""
    closed: bool = False
    """Whether its last word is whole, as typed."""

    @property
    def pattern(self) -> str:
        """Return the text that a marked text must contain to match the term."""
        return marked(self.text) if self.closed else marked(self.text).removesuffix(BOUNDARY)

    @property
    def is_checked(self) -> bool:
        """Return whether a text can have all of `lookups` without matching the term."""
        piece, length = next(pieces(self.text), ("", 0))
        return piece != self.text or len(piece) > (length or WORD_LIMIT)

    def lookups(self) -> list[tuple[str, bool]]:
        """Return the index terms that a matching text must have, each with whether it is a prefix."""
        open_end = not self.closed and marked(self.text).endswith(BOUNDARY)
        found: list[tuple[str, bool]] = []
        for piece, length in pieces(self.text):
            if not length:
                found.append((piece[:WORD_LIMIT], False))
            elif len(piece) < length:
                found.append((piece, True))
            else:
                found += ((piece[at : at + length], False) for at in range(len(piece) - length + 1))
        if open_end:
            found[-1] = (found[-1][0], True)
        return found


@dataclass(frozen=True)
class SearchQuery:
    """A search query: a text must match all of its terms."""

    terms: tuple[Term, ...]

    @property
    def exact(self) -> SearchQuery:
        """Return the query for whole words only."""
        return SearchQuery(tuple(Term(term.text, closed=True) for term in self.terms))

    def lookups(self) -> dict[tuple[str, bool], None]:
        """Return the index terms that a matching text must have, each once."""
        return dict.fromkeys(each for term in self.terms for each in term.lookups())

    def finds_as(self, other: SearchQuery) -> bool:
        """Return whether it has the same look-ups and patterns as another query."""
        return (self.lookups(), self.like_patterns()) == (other.lookups(), other.like_patterns())

    def tsquery(self, key: str) -> str:
        """Return the query for Postgres' `tsvector`, with a key as the prefix of every lexeme, and as a lexeme."""
        return _tsquery(key, self.lookups() or {("", False): None})

    def narrow_tsquery(self, key: str) -> str | None:
        """Return the query, as `tsquery` does, for the longest look-up only, which is probably a rare one.

        None if that saves nothing: Postgres collects all matches of a prefix, but not those of a whole term.
        """
        lookups = self.lookups()
        if len(lookups) < 2 or not any(begins for _, begins in lookups):
            return None
        return _tsquery(key, [max(lookups, key=lambda lookup: len(lookup[0]))])

    def like_patterns(self) -> list[str]:
        """Return the LIKE patterns that a marked text must match, too."""
        checked = (term.pattern for term in self.terms if term.is_checked)
        return [f"%{_escaped(pattern)}%" for pattern in checked]


def parsed(typed: str) -> SearchQuery:
    """Parse a user's input: words, and phrases in quotation marks.

    The query has no terms if the input has no visible characters.
    """
    found = _TERMS.finditer(folded(typed))
    return SearchQuery(tuple(dict.fromkeys(_terms(found))))


def _terms(found: Iterable[re.Match[str]]) -> Iterable[Term]:
    for each in found:
        if each["words"]:
            yield Term(_without_marks(each["words"]))
        elif phrase := each["phrase"].strip():
            yield Term(phrase, closed=bool(each["closed"]))


def _without_marks(word: str) -> str:
    return word.lstrip(_BEFORE).rstrip(_AFTER) or word


def _tsquery(key: str, lookups: Iterable[tuple[str, bool]]) -> str:
    return " & ".join(f"'{_quoted(key + term)}'{':*' if begins else ''}" for term, begins in lookups)


def _quoted(lexeme: str) -> str:
    return lexeme.replace("\\", "\\\\").replace("'", "''")


def _escaped(pattern: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", pattern)
