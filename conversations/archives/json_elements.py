"""Reading the values of a JSON array, or of JSON lines, one by one, without the whole document in memory. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO

from conversations.errors import InvalidRequest

CHUNK = 1 << 20  # bytes
LIMIT = 64 << 20  # bytes of one object

# The start of a list of conversations, a possible prefix of that at the end of the buffer, a complete string, a bracket
# outside of strings, or the start of an incomplete string.
TOKEN = re.compile(
    rb'(?P<list>"conversations"\s*+:\s*+\[)|(?P<more>"conversations"\s*+:?\s*+\Z)'
    rb'|"[^"\\]*+(?:\\.[^"\\]*+)*+"|(?P<brace>[{}])|(?P<part>")',
    re.DOTALL,
)
# Between the wanted objects: a brace, a bracket, a complete string or other scalar, or the start of an incomplete one.
BETWEEN = re.compile(
    rb'(?P<brace>[{}])|(?P<bracket>[\[\]])|(?P<single>"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s,:\[\]{}"]++(?=[\s,:\[\]{}"]))'
    rb"|(?P<part>[^\s,:])",
    re.DOTALL,
)


class _Scan:
    """The state of a scan of a document."""

    def __init__(self) -> None:
        self.depth = 0
        """Objects that are open."""
        self.level = 0
        """Objects that are around those which are asked for: 1 within an object that has a list of them."""
        self.listed = False
        """Whether it is within such a list."""
        self.lists = 0
        """Lists that are open between the objects of such a list."""
        self.start = 0
        """Where the object begins that is read now."""

    @property
    def is_reading(self) -> bool:
        """Return whether a wanted object is open."""
        return self.depth > self.level or (self.level == 0 and self.depth > 0)

    @property
    def tokens(self) -> re.Pattern[bytes]:
        """Return the pattern of the next token."""
        return TOKEN if self.is_reading or (self.level and not self.listed) else BETWEEN

    def follow(self, kind: str | None, token: re.Match[bytes]) -> bool:
        """Process a token of a kind. Return whether it ends a wanted object."""
        if kind == "list" and self.depth == 1 and self.level == 0:
            self.level, self.listed, self.lists = 1, True, 0
        elif kind == "bracket":
            self._follow_bracket(token[0])
        elif token[0] == b"{":
            self.start = token.start() if self.depth == self.level else self.start
            self.depth += 1
        elif token[0] == b"}" and self.depth:
            self.depth -= 1
            if self.depth < self.level:
                self.level = 0
                return False
            return self.depth == self.level and (self.level == 0 or self.listed)
        return False

    def _follow_bracket(self, bracket: bytes) -> None:
        """Process the beginning or the end of a list that is not a list of conversations, or the end of one."""
        if self.level == 0:
            return
        self.lists += 1 if bracket == b"[" else -1
        self.listed = self.lists >= 0


def elements(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the text of each outermost object of a document, as `values` does, and skip other values."""
    return (text for text in values(file, name) if is_object(text))


def is_object(text: bytes) -> bool:
    """Return whether a text that `values` has yielded is that of an object."""
    return text.startswith(b"{")


def values(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the text of each outermost object, string, number and so on of a document, unvalidated.

    Lists are traversed. In place of an object with a list `conversations`, the values of that list are yielded. `name`
    is the document's name in errors. Raise InvalidRequest for a value of more than `LIMIT` bytes, or an object without
    an end.
    """
    buffer, at, scan = b"", 0, _Scan()
    while chunk := file.read(max(CHUNK, len(buffer))):
        buffer += chunk
        while (token := scan.tokens.search(buffer, at)) and token.lastgroup not in ("more", "part"):
            at = token.end()
            if scan.follow(token.lastgroup, token):
                yield buffer[scan.start : at]
            elif token.lastgroup == "single" and token[0] != codecs.BOM_UTF8:
                yield token[0]
        at = token.start() if token else len(buffer)
        kept = scan.start if scan.is_reading else at
        buffer, at, scan.start = buffer[kept:], at - kept, 0
        if len(buffer) > LIMIT:
            raise InvalidRequest(f"{name}: An entry has more than {LIMIT} bytes, the maximum.")
    if scan.depth:
        raise InvalidRequest(f"{name}: It ends in the middle of an entry: the file is cut.")
    if rest := buffer[at:].strip():
        yield rest  # a single value that nothing comes after
