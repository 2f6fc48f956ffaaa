"""The runtimes in which tests run the client library: Node, and a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.processes import ROOT

FOLDER = Path(__file__).parent
LIBRARY = ROOT / "conversations" / "static" / "conversations" / "client.js"
NODE = shutil.which("node")
IN_PAGE = """async ([source, name, args]) => {
    const library = await import("/static/conversations/client.js");
    const module = await import(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
    return module[name](library.Client, ...args);
}"""


def node(script: str, *, timeout: float = 120) -> str:
    """Run an ES module in Node, with `Client` imported; return what it printed. Fail where the script fails."""
    source = f"import {{ Client, Folding, ApiError }} from {json.dumps(LIBRARY.as_uri())};\n{script}"
    command = [str(NODE), "--experimental-websocket", "--no-warnings", "--input-type=module", "-e", source]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout


def call_in_node(file: str, function: str, *args: Any, timeout: float = 120) -> Any:
    """Call a function of a module of this folder with `Client` and these arguments in Node; return its result."""
    module = json.dumps((FOLDER / file).as_uri())
    script = f"import {{ {function} }} from {module};\n"
    call = ", ".join(json.dumps(each) for each in args)
    return json.loads(node(f"{script}console.log(JSON.stringify(await {function}(Client, {call})));", timeout=timeout))


def call_in_page(page: Page, file: str, function: str, *args: Any) -> Any:
    """Call such a function in a page of the server's own origin; return its result."""
    return page.evaluate(IN_PAGE, [(FOLDER / file).read_text(), function, args])
