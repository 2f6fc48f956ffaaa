"""The views of the extraction page: three shells, and samples to try it with."""

from __future__ import annotations

import mimetypes
import uuid
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.content.media import FOR_EXTRACTION
from conversations.errors import NotFound
from conversations.front.modules import modules_of
from conversations.front.views import with_policy
from extraction.models import Batch, Extraction

SCRIPTS = "extraction/front"
TEMPLATES = "extraction/front"
SAMPLES = Path(__file__).resolve().parent.parent / "samples"


@with_policy
@require_safe
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Answer with the page for a new extraction."""
    return _shell(request, "new")


@with_policy
@require_safe
@login_required
def extraction(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Answer with the page of an extraction; 404 if it is not the user's."""
    try:
        found = Extraction.objects.select_related("item").get_visible(request.user, id)
    except NotFound:
        return _missing(request)
    return _shell(request, "one", current=id, item=getattr(found, "item", None))


@with_policy
@require_safe
@login_required
def batch(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Answer with the page of a batch; 404 if it is not the user's."""
    try:
        Batch.objects.get_visible(request.user, id)
    except NotFound:
        return _missing(request)
    return _shell(request, "batch", current=id)


@with_policy
@require_safe
@login_required
def sample(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with a sample document or schema of the project."""
    found = next((file for file in SAMPLES.iterdir() if file.name == name), None)
    if found is None:
        raise Http404("There is no such sample.")
    media_type, _ = mimetypes.guess_type(name)
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(found.read_bytes(), content_type=media_type, headers=headers)


def _shell(request: HttpRequest, page: str, **shown: object) -> HttpResponse:
    context = {
        "modules": modules_of(f"{SCRIPTS}/{page}_page.js"),
        "model": settings.COLLOQUY_DEFAULT_MODEL,
        "accepted": ",".join(FOR_EXTRACTION),
        "sandbox": settings.SANDBOX,
        **shown,
    }
    return render(request, f"{TEMPLATES}/{page}.html", context)


def _missing(request: HttpRequest) -> HttpResponse:
    return render(request, f"{TEMPLATES}/missing.html", status=404)
