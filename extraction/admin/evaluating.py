"""The buttons that create an evaluation from reviewed data."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from conversations.errors import ColloquyError
from conversations.models import User
from extraction.services import evaluations
from extraction.services.batches import NewBatch
from extraction.services.evaluations import ExpectedItem

MAY_EVALUATE = "extraction.add_evaluation"


def evaluate(
    request: HttpRequest, *, owner: User, items: Callable[[], list[ExpectedItem]], run: NewBatch, back: str
) -> HttpResponseRedirect:
    """Create an evaluation with one run, and redirect to its page, or to `back` if there is no reviewed data."""
    if not request.user.has_perm(MAY_EVALUATE):
        return HttpResponseRedirect(back)
    try:
        made = evaluations.create(user=owner, items=items(), runs=[run])
    except ColloquyError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(back)
    return HttpResponseRedirect(reverse("admin:extraction_evaluation_change", args=[made.pk]))
