"""Parsing the project's Markdown documents: headings, links and code blocks, as GitHub renders them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.processes import ROOT

FILES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")])
CITATION = re.compile(r"claude-api\.md ((?:\d+(?:\.\d+)?(?:, | and | to )?)+)")


@dataclass(frozen=True)
class Link:
    """A link or an image: its place, its target, and its text if that is code only."""

    document: Path
    target: str
    code: str | None


def name(path: Path) -> str:
    """Return a file's path relative to the project's folder."""
    return path.relative_to(ROOT).as_posix()


@cache
def tokens(document: Path) -> list[Token]:
    """Parse a document into Markdown tokens."""
    return MarkdownIt("commonmark").enable("table").parse(document.read_text())


def links(document: Path) -> Iterator[Link]:
    """Yield the links and pictures of a document."""
    for token in tokens(document):
        inner = token.children or []
        for at, child in enumerate(inner):
            if child.type == "image":
                yield Link(document, str(child.attrs["src"]), None)
            elif child.type == "link_open":
                only_code = inner[at + 1].type == "code_inline" and inner[at + 2].type == "link_close"
                yield Link(document, str(child.attrs["href"]), inner[at + 1].content if only_code else None)


@cache
def anchors(document: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives to a document's headings."""
    seen: Counter[str] = Counter()
    found = set()
    for opened, text in zip(tokens(document), tokens(document)[1:], strict=False):
        if opened.type == "heading_open":
            plain = "".join(each.content for each in text.children or [] if each.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return frozenset(found)


def cited_sections(source: str) -> set[str]:
    """Return the numbers of the sections of claude-api.md that a source text cites."""
    on_one_line = re.sub(r"\s*\n\s*(?:# )?", " ", source)
    return {number for found in CITATION.findall(on_one_line) for number in re.findall(r"\d+(?:\.\d+)?", found)}
