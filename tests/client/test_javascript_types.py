"""The types in the JSDoc comments of the project's JavaScript are right."""

from __future__ import annotations

import json
from pathlib import Path

from tests.client.runtimes import LIBRARY
from tests.contract.generators import compile_types
from tests.processes import ROOT

STATIC = [ROOT / app / "static" for app in ("conversations", "extraction")]  # one folder, as browsers see it
OPTIONS = {
    "noEmit": True,
    "allowJs": True,
    "checkJs": True,
    "strict": True,
    "target": "es2023",
    "lib": ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
    "types": [],
    "module": "nodenext",
    "moduleResolution": "nodenext",
    "rootDirs": [str(folder) for folder in STATIC],
}
CHAT = LIBRARY.parent / "front" / "main.js"
EXTRACTION = sorted((STATIC[1] / "extraction" / "front").glob("*_page.js"))


def test_the_client_library_and_the_pages_have_right_types(tmp_path: Path) -> None:
    files = [str(file) for file in (LIBRARY, CHAT, *EXTRACTION)]
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "files": files}))
    compile_types(LIBRARY.parent, "-p", tmp_path)
