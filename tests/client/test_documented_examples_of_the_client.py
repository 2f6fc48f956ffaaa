"""The examples of docs/client.md print what the document shows."""

from __future__ import annotations

import json
import re

import pytest

from tests import readme
from tests.client.runtimes import NODE, node
from tests.clients import Api

EXAMPLE = re.compile(r"```javascript\n((?:(?!```).)*)```\n<!-- prints -->\n```text\n(.*?)```", re.DOTALL)
SEPARATOR = "--- the next one ---"


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_the_examples_print_what_is_shown(api: Api) -> None:
    examples = EXAMPLE.findall((readme.ROOT / "docs" / "client.md").read_text())
    assert len(examples) == 11
    given = f"const url = {json.dumps(api.url)}, token = {json.dumps(api.token)};\n"
    client, *others = (code for code, _ in examples)
    scripts = [client, *(f"{{\n{code}}}\n" for code in others)]
    printed = node(given + f"console.log({json.dumps(SEPARATOR)});\n".join(scripts) + "client.close();").split(
        SEPARATOR
    )
    assert [each.strip() for each in printed] == [shown.strip() for _, shown in examples]
