"""Numbers keep all digits that Claude wrote, from the answer to the API's response."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.exact_json import dumps, loads
from extraction.answers import judged
from extraction.models import Extraction
from tests.clients import Api
from tests.extraction.test_hostile_answers import ANYTHING, answering

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e300"), max_value=Decimal("1e300"))


@given(
    st.recursive(
        DECIMALS | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )
)
def test_what_is_written_and_read_again_is_the_same(value: Any) -> None:
    again = loads(dumps(value))
    assert again == value
    assert dumps(again) == dumps(value)


@pytest.mark.parametrize(
    "number",
    ["12345678901234567.89", "0.1000", "-0.0", "1E+5", "1E-400", "100000000000000000000000000000001", "3.0", "1E+300"],
)
def test_numbers_come_through_the_platform_as_they_were(api: Api, number: str) -> None:
    body = {"schema": ANYTHING, "content": answering(f'{{"a": {number}, "b": [{number}]}}')}
    response = api.post("extraction/extractions/?wait=true", body)
    assert f'"data":{{"a":{number},"b":[{number}]}}' in response.text
    id = response.json()["id"]
    assert f'"data":{{"a":{number},"b":[{number}]}}' in api.get(f"extraction/extractions/{id}/").text
    assert f'"data":{{"a":{number},"b":[{number}]}}' in api.get("extraction/extractions/").text
    assert dumps(Extraction.objects.get(pk=id).data) == f'{{"a": {number}, "b": [{number}]}}'


@pytest.mark.parametrize(
    ("schema", "text", "fits"),
    [
        ('{"multipleOf": 0.01}', "19.99", True),
        ('{"multipleOf": 0.01}', "1234567890123456789.99", True),
        ('{"multipleOf": 0.01}', "19.999", False),
        ('{"multipleOf": 0.1}', "0.3", True),
        ('{"multipleOf": 3}', "1000000000000000000000000000001", False),
        ('{"multipleOf": 1e-5}', "0.00001", True),
        ('{"maximum": 0.3}', "0.3000000000000000001", False),
        ('{"exclusiveMinimum": 9007199254740992}', "9007199254740993", True),
        ('{"const": 1.10}', "1.1", True),
        ('{"enum": [1]}', "1.0", True),
        ('{"type": "integer"}', "1.0", True),
        ('{"type": "integer"}', "1e5", True),
        ('{"type": "integer"}', "1.5", False),
        ('{"uniqueItems": true}', "[12345678901234567.88, 12345678901234567.89]", True),
        ('{"uniqueItems": true}', "[1.0, 1]", False),
    ],
)
def test_numbers_are_compared_as_decimals(schema: str, text: str, fits: bool) -> None:
    assert (judged(json.loads(schema), text).problems == []) is fits


def test_numbers_in_the_metadata_of_batches_keep_their_digits(api: Api) -> None:
    asked = {"items": [{"key": "a", "content": "Tea"}], "schema": ANYTHING, "mode": "batch"}
    body = dumps(asked)[:-1] + ', "metadata": {"a": 12345678901234567.89}}'
    headers = {"Content-Type": "application/json"}
    response = api.http.post("/api/extraction/batches/", content=body, headers=headers)
    assert response.status_code == 201, response.text
    id = response.json()["id"]
    assert '"metadata":{"a":12345678901234567.89}' in api.get(f"extraction/batches/{id}/").text
    assert api.post(f"extraction/batches/{id}/cancel/").status_code == 202
