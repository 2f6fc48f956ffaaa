"""The review queue: a document beside its extracted data, to approve, correct or reject."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import cast

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from conversations.api.attachment_views import served
from conversations.errors import ColloquyError, InvalidRequest
from conversations.models import Attachment, User
from conversations.services.accounts import access_log
from extraction import reading
from extraction.admin.evaluating import evaluate
from extraction.admin.leaves import Leaf, changed, leaves_of, whole_of
from extraction.admin.marking import segments
from extraction.api.reviews import check_correction
from extraction.batches.results import final_data
from extraction.documents.sources import Source
from extraction.evidence.on_pages import quotes_on_page
from extraction.models import Extraction, Review
from extraction.services import evaluations, reviews
from extraction.services.batches import NewBatch

MAY_SEE = "extraction.view_extraction"
MAY_DECIDE = "extraction.add_review"
PAGES = 20
"""The number of a PDF's pages that are drawn."""


def _waiting(batch: str) -> QuerySet[Extraction]:
    rows = reviews.decided(Extraction.objects.all(), reviews.PENDING).order_by("pk")
    try:
        return rows.filter(item__batch=uuid.UUID(batch)) if batch else rows
    except ValueError:
        raise Http404 from None


@permission_required(MAY_SEE, raise_exception=True)
def queue(request: HttpRequest) -> HttpResponseBase:
    """Redirect to the extraction that has waited longest for a review, optionally of one batch."""
    batch = request.GET.get("batch", "")
    after = request.GET.get("after")
    rows = _waiting(batch)
    found = (rows.filter(pk__gt=after) if after else rows).values_list("pk", flat=True).first()
    if found is None:
        context = {**admin.site.each_context(request), "title": "Nothing waits for a review", "batch": batch}
        return TemplateResponse(request, "extraction/nothing_to_review.html", context)
    return HttpResponseRedirect(_address(found, batch))


def _address(id: uuid.UUID, batch: str) -> str:
    url = reverse("admin:extraction_extraction_review", args=[id])
    return f"{url}?batch={batch}" if batch else url


@permission_required(MAY_SEE, raise_exception=True)
def review(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """Show the data of an extraction beside its document, or store a decision, after recording the access."""
    extraction = _opened(request, id)
    form: Mapping[str, str] = {}
    if request.method == "POST":
        form = {name: value for name, value in request.POST.items() if isinstance(value, str)}
        try:
            _decide(request, extraction, form)
            return HttpResponseRedirect(_next(extraction, request.GET.get("batch", "")))
        except ColloquyError as error:
            messages.error(request, error.message)
    return TemplateResponse(request, "extraction/review.html", _context(request, extraction, form))


def _opened(request: HttpRequest, id: uuid.UUID) -> Extraction:
    rows = Extraction.objects.select_related("owner", "schema").prefetch_related("reviews__reviewer", "source_texts")
    extraction: Extraction = get_object_or_404(rows, pk=id)
    access_log.note_opening(staff=cast(User, request.user), owner=extraction.owner, opened=extraction)
    return extraction


def _next(extraction: Extraction, batch: str) -> str:
    url = reverse("admin:extraction_extraction_queue")
    return f"{url}?batch={batch}" if batch else url


def _decide(request: HttpRequest, extraction: Extraction, form: Mapping[str, str]) -> None:
    """Store a decision. Raise InvalidRequest or Conflict if it is not possible, Django's PermissionDenied."""
    decision = form.get("decision", "")
    if not request.user.has_perm(MAY_DECIDE):
        raise InvalidRequest("You can view this data, but not review it: that needs the permission to add reviews.")
    if decision not in Review.Decision.values:
        raise InvalidRequest("Choose one: approve, correct or reject.")
    corrects = decision == Review.Decision.CORRECTED
    reviews.check(extraction=extraction, decision=decision, has_data=corrects)
    data = None
    if corrects:
        data = changed(final_data(extraction), form)
        if data == final_data(extraction):
            raise InvalidRequest("Nothing was changed. Change what is wrong, or approve the data as it is.")
        async_to_sync(check_correction)(extraction, data)
    comment = form.get("comment", "")
    reviews.decide(
        extraction=extraction, reviewer=cast(User, request.user), decision=decision, data=data, comment=comment
    )


@permission_required(MAY_SEE, raise_exception=True)
def evaluate_reviewed(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """Create an evaluation of all reviewed data of an extraction's user and schema, run like that extraction."""
    extraction = _opened(request, id)
    run = NewBatch(
        extraction.schema, extraction.model, max_tokens=extraction.max_tokens, max_attempts=extraction.max_attempts
    )
    items = partial(evaluations.of_schema, extraction)
    return evaluate(request, owner=extraction.owner, items=items, run=run, back=_address(id, ""))


def _context(request: HttpRequest, extraction: Extraction, form: Mapping[str, str]) -> dict[str, object]:
    data = final_data(extraction)
    leaves = list(leaves_of(data))
    numbers = {leaf.path: number for number, leaf in enumerate(leaves)}
    problems: dict[str, list[str]] = {}
    for each in extraction.problems:
        problems.setdefault(each["path"] if each["path"] in numbers else "", []).append(each["message"])
    batch = request.GET.get("batch", "")
    return {
        **admin.site.each_context(request),
        "title": f"Review of {extraction.schema}",
        "extraction": extraction,
        "fields": [_field(extraction, leaf, number, form, problems) for number, leaf in enumerate(leaves)],
        "problems": problems.get("", []),
        "whole": form.get("whole") or whole_of(data),
        "comment": form.get("comment", ""),
        "sources": [_source(extraction, each, numbers) for each in _sources(extraction)],
        "decided": next(iter(extraction.reviews.all()), None),
        "waiting": _waiting(batch)[:1000].count(),
        "accepted": _accepted(extraction),
        "may_decide": request.user.has_perm(MAY_DECIDE),
        "skip": f"{_next(extraction, batch)}{'&' if batch else '?'}after={extraction.pk}",
    }


def _accepted(extraction: Extraction) -> int:
    """Return the number of approved or corrected extractions of the same user and schema."""
    alike = Extraction.objects.filter(owner=extraction.owner_id, schema=extraction.schema_id)
    return reviews.accepted(alike)[: evaluations.ITEMS_LIMIT].count()


def _field(
    extraction: Extraction, leaf: Leaf, number: int, form: Mapping[str, str], problems: Mapping[str, list[str]]
) -> dict[str, object]:
    """Return the template context of a value: its quote, and its problems."""
    return {
        "number": number,
        "leaf": leaf,
        "text": form.get(leaf.name, leaf.text),
        "evidence": next((each for each in extraction.evidence if each["path"] == leaf.path), None),
        "problems": problems.get(leaf.path, []) if leaf.path else [],
    }


def _sources(extraction: Extraction) -> list[Source]:
    """Return the texts of the content as they were at the extraction, or as they are read now."""
    kept = list(extraction.source_texts.all())
    if kept:
        return [Source(each.index, each.kind, each.text, tuple(each.pages), each.title) for each in kept]  # type: ignore[arg-type]
    try:
        return async_to_sync(reading.read)(extraction.owner_id, extraction.content)
    except ColloquyError:
        return [Source(index, "image", None) for index, _ in enumerate(extraction.content)]


def _source(extraction: Extraction, source: Source, numbers: Mapping[str, int]) -> dict[str, object]:
    of_it = [each for each in extraction.evidence if each.get("source") == source.index]
    attached = _attachment(extraction, source.index)
    shown: dict[str, object] = {"title": source.title or f"Part {source.index + 1}", "kind": source.kind}
    if source.text is not None:
        shown["segments"] = list(segments(source.text, of_it, numbers))
    if source.kind == "pdf" and attached:
        quoted = {each["page"] for each in of_it if each.get("page")}
        pages = sorted(quoted | {1})[:PAGES]
        shown["pages"] = [
            (number, reverse("admin:extraction_extraction_page", args=[extraction.pk, source.index, number]))
            for number in pages
        ]
    elif source.kind == "image" and attached:
        shown["image"] = reverse("admin:extraction_extraction_image", args=[extraction.pk, source.index])
    return shown


def _attachment(extraction: Extraction, index: int) -> str | None:
    """Return the id of a content block's attachment; None if it has none."""
    if not 0 <= index < len(extraction.content):
        return None
    source = extraction.content[index].get("source")
    return source.get("attachment") if isinstance(source, dict) else None


@permission_required(MAY_SEE, raise_exception=True)
def image(request: HttpRequest, id: uuid.UUID, index: int) -> HttpResponse:
    """Answer with an image of an extraction's content."""
    extraction = _opened(request, id)
    return served(request, get_object_or_404(Attachment, pk=_attachment(extraction, index)))


@permission_required(MAY_SEE, raise_exception=True)
def page(request: HttpRequest, id: uuid.UUID, index: int, number: int) -> HttpResponse:
    """Answer with an image of a PDF's page, with the quotes of the data highlighted."""
    extraction = _opened(request, id)
    attachment = get_object_or_404(Attachment, pk=_attachment(extraction, index))
    of_it = [each for each in extraction.evidence if each.get("source") == index and each.get("page") == number]
    quotes = quotes_on_page(_sources(extraction)[index], number, of_it)
    try:
        drawn = async_to_sync(reading.drawn)(extraction.owner_id, attachment.path, number, quotes)
    except ColloquyError as error:
        raise Http404(error.message) from None
    return HttpResponse(drawn, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
