"""An end of a turn that can't be written as a whole is written as far as possible, and the log says why."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from conversations.models import User
from conversations.services.best_effort import if_possible, whole_or_least


def made(name: str) -> str:
    User.objects.create_user(name)
    return name


def test_what_can_be_done_as_a_whole_is(database: str) -> None:
    name = uuid.uuid4().hex
    with transaction.atomic():
        assert whole_or_least("The turn", lambda: made(name), lambda: "least") == name
    assert User.objects.filter(username=name).exists()


def test_what_fails_is_undone_and_the_least_is_kept(database: str, caplog: pytest.LogCaptureFixture) -> None:
    name, least = uuid.uuid4().hex, uuid.uuid4().hex

    def twice() -> str:
        made(name)
        return made(name)

    with transaction.atomic():
        assert whole_or_least("The turn", twice, lambda: made(least)) == least
    assert not User.objects.filter(username=name).exists()
    assert User.objects.filter(username=least).exists()
    [record] = caplog.records
    assert record.getMessage() == "The turn could not be ended as a whole, and ends with what could be stored"
    assert record.exc_info
    assert record.exc_info[0] is IntegrityError


def test_a_step_that_fails_is_left_out(database: str, caplog: pytest.LogCaptureFixture) -> None:
    name = uuid.uuid4().hex

    def step() -> str:
        made(name)
        raise ValueError("The price is none.")

    with transaction.atomic():
        assert if_possible("The title", step) is None
        assert if_possible("The title", lambda: "Tea") == "Tea"
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")  # the transaction can go on
    assert not User.objects.filter(username=name).exists()
    assert len(caplog.records) == 1


def test_what_passes_by_itself_is_raised_for_another_try(database: str, caplog: pytest.LogCaptureFixture) -> None:
    def lost() -> str:
        raise OperationalError("the connection was lost")

    with pytest.raises(OperationalError):
        whole_or_least("The turn", lost, lambda: "least")
    assert caplog.records == []


def test_an_error_of_the_least_is_an_error(database: str) -> None:
    def wrong() -> str:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        whole_or_least("The turn", wrong, wrong)
