"""The staff see what users think of answers."""

from __future__ import annotations

from django.test import Client

from tests.clients import Api

LIST = "/admin/conversations/feedback/"


def test_feedback_is_listed_and_its_comment_is_noted_where_it_is_read(staff: Client, api: Api) -> None:
    answer = str(api.ask("Hello")["messages"][0]["id"])
    api.http.put(f"/api/messages/{answer}/feedback/", json={"rating": -1, "comment": "Quagga"})
    listed = staff.get(LIST, {"q": answer, "rating__exact": "-1"}).content.decode()
    assert answer in listed
    assert "Quagga" not in listed
    [given] = api.user.feedback.all()
    assert str(given.pk) not in staff.get(LIST, {"q": answer, "rating__exact": "1"}).content.decode()
    assert str(given.pk) in staff.get(LIST, {"q": answer, "comment": "yes"}).content.decode()
    assert str(given.pk) not in staff.get(LIST, {"q": answer, "comment": "no"}).content.decode()
    assert api.get("me/access-log/").json()["results"] == []
    assert "Quagga" in staff.get(f"{LIST}{given.pk}/change/").content.decode()
    assert [each["kind"] for each in api.get("me/access-log/").json()["results"]] == ["feedback"]
