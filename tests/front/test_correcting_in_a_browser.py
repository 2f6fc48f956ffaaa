"""Extracted data can be corrected on the page: values, rows, and numbers of many digits."""

from __future__ import annotations

import json

from tests.clients import Api
from tests.front.test_accessibility_in_a_browser import check
from tests.front.test_extracting_in_a_browser import extracted, opened, value
from tests.front.test_extracting_in_a_browser import visiting as visiting  # a fixture, as the next one is
from tests.front.test_extracting_in_a_browser import visitor as visitor
from tests.front.visiting import Visitor

LONG_NUMBER = 9_007_199_254_740_993  # JavaScript would round it


def test_data_is_corrected_with_all_its_rows_and_digits_though_the_page_is_loaded_anew(
    visitor: Visitor, api: Api
) -> None:
    row = {"type": "object", "properties": {"tea": {"type": "string"}, "price": {"type": "number"}}}
    schema = {
        "type": "object",
        "properties": {
            "number": {"type": "integer"},
            "total": {"type": "number"},
            "teas": {"type": "array", "items": row},
        },
    }
    said = json.dumps(json.dumps({"number": LONG_NUMBER, "total": 12.5, "teas": [{"tea": "Green", "price": 12.5}]}))
    id = extracted(api, schema, f"[[sandbox: json={said}]]")
    page = opened(visitor, f"/extract/{id}/")
    assert value(page, "/number").inner_text() == str(LONG_NUMBER)
    page.get_by_role("button", name="Correct").click()
    page.fill("[aria-label='/total']", "13.75")
    for name in ("Black", "White"):
        page.get_by_role("button", name="Add one").click()
        page.locator("[aria-label$='/tea']").last.fill(name)
    page.fill("[aria-label='/teas/2/price']", "1.25")
    page.get_by_role("button", name="Remove number 2").click()
    check(page, "extract-correcting", ["light"])
    page.reload()
    page.get_by_role("button", name="Save the correction").click()
    visitor.sees("Corrected by", "#decided")
    assert value(page, "/total").inner_text() == "13.75"
    teas = [{"tea": "Green", "price": 12.5}, {"tea": "White", "price": 1.25}]
    final = api.get(f"extraction/extractions/{id}/").json()["final"]
    assert final == {"number": LONG_NUMBER, "total": 13.75, "teas": teas}
    page.reload()
    page.get_by_role("button", name="Correct").wait_for()  # and no correction is begun
