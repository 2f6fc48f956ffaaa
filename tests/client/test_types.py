"""The types that the comments of the project's JavaScript tell are right."""

from __future__ import annotations

from tests.client.runtimes import LIBRARY
from tests.contract.generators import node_tools, run

LANGUAGE = ("--target", "es2023", "--lib", "es2023,dom,dom.iterable,dom.asynciterable")
MODULES = ("--module", "nodenext", "--moduleResolution", "nodenext")
OPTIONS = ("--noEmit", "--allowJs", "--checkJs", "--strict", *LANGUAGE, *MODULES)


PAGE = LIBRARY.parent / "front" / "main.js"


def test_the_client_library_and_the_page_have_right_types() -> None:
    run([node_tools() / "node_modules/.bin/tsc", *OPTIONS, LIBRARY, PAGE], LIBRARY.parent)
