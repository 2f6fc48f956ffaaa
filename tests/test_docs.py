"""The documents are consistent: links, the files and names that they refer to, the sections that the code cites."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests import documents, readme
from tests.documents import Link
from tests.processes import ROOT
from tests.test_house import MODULES, imports_of

LINKS = [link for document in documents.FILES for link in documents.links(document)]
DEFINITION = re.compile(r"(?:def|class|FUNCTION) (\w+)|^(\w+)(?:: .*)? = ", re.MULTILINE)
NOT_FOR_OPERATORS = {"DJANGO_SETTINGS_MODULE", "COLLOQUY_WORK"}
RELATIVE = [link for link in LINKS if not re.match(r"[a-z]+:", link.target)]


def destination(link: Link) -> tuple[Path, str]:
    path, _, anchor = unquote(link.target).partition("#")
    return (link.document.parent / path).resolve() if path else link.document, anchor


def places(links: list[Link]) -> list[str]:
    return [f"{documents.name(link.document)}: {link.target}" for link in links]


def test_every_link_leads_to_a_file_of_the_project() -> None:
    dead = [link for link in RELATIVE if not destination(link)[0].exists() or ROOT not in destination(link)[0].parents]
    assert places(dead) == []


def test_every_anchor_is_a_heading() -> None:
    anchored = [link for link in RELATIVE if destination(link)[1] and destination(link)[0].suffix == ".md"]
    assert (
        places([link for link in anchored if destination(link)[1] not in documents.anchors(destination(link)[0])]) == []
    )


def test_names_that_link_to_code_are_in_the_file() -> None:
    """`[`Journal.append`](../conversations/streaming/journal.py)` breaks when either is renamed."""
    named = [link for link in RELATIVE if link.code and destination(link)[0].suffix == ".py" and "/" not in link.code]
    assert named
    gone = [(documents.name(link.document), link.code) for link in named if not is_named(link)]
    assert gone == []


def is_named(link: Link) -> bool:
    """Return whether the linked file defines the parts of a dotted name, or is named like its first part."""
    file = destination(link)[0]
    defined = {name for names in DEFINITION.findall(file.read_text()) for name in names}
    return {file.stem, *defined}.issuperset(str(link.code).split("."))


def test_documents_stand_by_themselves() -> None:
    """They have no paths of a particular machine, and no links outside the repository."""
    assert [
        documents.name(each) for each in documents.FILES if re.search(r"\.\./shared|/home/", each.read_text())
    ] == []


def test_every_document_is_linked() -> None:
    linked = {destination(link)[0] for link in RELATIVE}
    assert {documents.name(each) for each in documents.FILES if each not in linked} <= {"README.md"}


@pytest.mark.parametrize("folder", ["config", "conversations", "extraction", "tests"])
def test_sections_that_the_code_cites_are_there(folder: str) -> None:
    headings = (ROOT / "docs" / "claude-api.md").read_text()
    there = set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", headings, re.MULTILINE))
    for path in (ROOT / folder).rglob("*.py"):
        assert documents.cited_sections(path.read_text()) <= there, documents.name(path)


def test_citations_are_found() -> None:
    assert documents.cited_sections("# a (claude-api.md 2.3 to\n    # 2.7, 9 and 12)") == {"2.3", "2.7", "9", "12"}


def test_every_variable_is_described() -> None:
    described = (ROOT / "docs" / "deploying.md").read_text()
    for path in (ROOT / "config").rglob("*.py"):
        read = set(re.findall(r'"((?:COLLOQUY|DJANGO|ANTHROPIC)_[A-Z0-9_]+)"', path.read_text()))
        assert {each for each in read if f"`{each}`" not in described} <= NOT_FOR_OPERATORS, documents.name(path)


def test_each_command_installs_what_it_needs_and_no_more() -> None:
    [(_, run)], [(_, tests)] = readme.blocks("run"), readme.blocks("tests")
    assert re.findall(r"-r (\S+)", run) == ["requirements.txt"]
    assert re.findall(r"-r (\S+)", tests) == ["requirements-dev.txt"]
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text().splitlines()


def test_running_needs_no_package_of_the_tests() -> None:
    for_tests = set(re.findall(r"^([a-z-]+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE))
    names = {each.replace("-", "_") for each in for_tests}
    assert "pytest" in names
    for path in MODULES:
        assert names.isdisjoint(each.partition(".")[0] for each in imports_of(path)), documents.name(path)


def test_make_has_the_four_commands() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(targets) == {"run", "test", "check", "fix"}
