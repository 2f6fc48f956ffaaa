"""Converting text documents of ChatGPT's canvas to text. Pure.

The tool `canmore` is called with JSON: a new document, changes by regular expressions, or comments on places that
regular expressions find. These expressions are never evaluated: they are untrusted, and may run for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from conversations.archives.code_fences import fenced
from conversations.archives.loose_json import Object, objects_in, text_in, with_whole_characters

ALL = frozenset({".*", "(?s).*", "^.*$", "[\\s\\S]*"})
"""Patterns by which a document is replaced as a whole."""


def canvas_text(recipient: str, said: str) -> str:
    """Return the text of a call of the canvas tool, in Markdown; empty for an unknown kind of call."""
    shown = CALLS.get(recipient)
    try:
        given = json.loads(with_whole_characters(said.encode())) if shown else None
    except (ValueError, RecursionError):
        return ""
    return "\n\n".join(shown(given)) if shown and isinstance(given, Mapping) else ""


def _created(given: Object) -> Iterator[str]:
    if content := text_in(given, "content"):
        kind, _, language = text_in(given, "type").partition("/")
        yield f"**{text_in(given, 'name') or 'Document'}**"
        yield fenced(content, language) if kind == "code" else content


def _updated(given: Object) -> Iterator[str]:
    for each in objects_in(given, "updates"):
        pattern, replacement = text_in(each, "pattern"), text_in(each, "replacement")
        place = "The document is now:" if pattern in ALL else f"In the document, in the place of `{pattern}`:"
        yield f"{place}\n\n{fenced(replacement)}"


def _commented(given: Object) -> Iterator[str]:
    for each in objects_in(given, "comments"):
        yield f"On `{text_in(each, 'pattern')}` in the document: {text_in(each, 'comment')}"


CALLS: Mapping[str, Callable[[Object], Iterator[str]]] = {
    "canmore.create_textdoc": _created,
    "canmore.update_textdoc": _updated,
    "canmore.comment_textdoc": _commented,
}
