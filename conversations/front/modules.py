"""The modules of a page: its main script, and all imported ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import dirname, join, normpath

from django.contrib.staticfiles import finders
from django.templatetags.static import static

IMPORT = re.compile(r'^(?:import|export)\b(?:[^;"]*?\bfrom)? "(\.[^"]+)";', re.MULTILINE)


@cache
def modules_of(main: str) -> list[str]:
    """Return the URLs of a page's modules, the main one first, so that the browser can load all at once.

    Modules that are imported on demand are left out.
    """
    names = [main]
    for name in names:  # which grows
        names.extend(each for each in _imported(name) if each not in names)
    return [static(name) for name in names]


def _imported(name: str) -> Iterator[str]:
    text = Path(str(finders.find(name))).read_text()
    return (normpath(join(dirname(name), path)) for path in dict.fromkeys(IMPORT.findall(text)))
