"""Code of the same project extracts by a function call, with Pydantic models as schemas."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import BaseModel

from conversations.errors import InvalidRequest
from conversations.models import Usage
from extraction import extract
from tests.clients import Api
from tests.extraction.test_extracting import JANE


class Contact(BaseModel):
    name: str
    email: str


class Price(BaseModel):
    price: Decimal


def test_a_class_is_a_schema_and_its_instance_is_the_data(api: Api) -> None:
    found = extract(JANE, Contact, user=api.user, metadata={"from": "a test"})
    assert found.data == Contact(name="Jane", email="jane@example.com")
    assert found.cost is not None
    assert Decimal(found.cost) == Usage.objects.get(user=api.user).cost
    places = {each["path"]: (each["status"], JANE[each["start"] : each["end"]]) for each in found.extraction.evidence}
    assert places == {"/name": ("exact", "Jane"), "/email": ("exact", "jane@example.com")}
    shown = api.get(f"extraction/extractions/{found.extraction.pk}/").json()
    assert (shown["status"], shown["metadata"]) == ("succeeded", {"from": "a test"})


def test_numbers_keep_their_digits_into_the_model(api: Api) -> None:
    answer = '[[sandbox: json="{\\"price\\": 12345678901234567.89}"]]'
    found = extract(answer, Price, user=api.user, evidence=False)
    assert found.data == Price(price=Decimal("12345678901234567.89"))


def test_a_schema_may_be_one_of_the_users_by_its_name(api: Api) -> None:
    schema = {"name": "contact", "json_schema": Contact.model_json_schema()}
    assert api.post("extraction/schemas/", schema).status_code == 201
    assert extract(JANE, "contact@1", user=api.user).data == {"name": "Jane", "email": "jane@example.com"}


def test_what_does_not_satisfy_the_schema_is_no_data(api: Api) -> None:
    found = extract(f'{JANE} [[sandbox: json="{{}}"; always]]', Contact, user=api.user)
    assert (found.data, found.extraction.status) == (None, "invalid")


def test_what_is_no_schema_is_refused(api: Api) -> None:
    with pytest.raises(InvalidRequest, match="schema"):
        extract(JANE, {"type": "nonsense"}, user=api.user)
