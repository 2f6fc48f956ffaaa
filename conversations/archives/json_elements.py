"""The objects in a JSON array, or in JSON lines, one by one: the whole document is never in memory. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from conversations.errors import InvalidRequest

CHUNK = 1 << 20  # bytes
LIMIT = 64 << 20  # bytes of one object

# A whole string, a brace outside of strings, or the beginning of a string whose end is not there yet.
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}]|"', re.DOTALL)


def elements(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the text of each outermost object of a document, which is not checked otherwise.

    `name` is what errors call the document. Raises InvalidRequest for an object of more than `LIMIT` bytes, or one that
    has no end.
    """
    buffer, at, start, depth = b"", 0, 0, 0
    while chunk := file.read(max(CHUNK, len(buffer))):
        buffer += chunk
        while (token := TOKEN.search(buffer, at)) and token[0] != b'"':
            at = token.end()
            if token[0] == b"{":
                start = start if depth else token.start()
                depth += 1
            elif token[0] == b"}" and depth:
                depth -= 1
                if depth == 0:
                    yield buffer[start:at]
        at = token.start() if token else len(buffer)
        kept = start if depth else at
        buffer, at, start = buffer[kept:], at - kept, 0
        if len(buffer) > LIMIT:
            raise InvalidRequest(f"{name}: An entry has more than {LIMIT} bytes, which is the most that is taken.")
    if depth:
        raise InvalidRequest(f"{name}: It ends in the middle of an entry: the file is cut.")
