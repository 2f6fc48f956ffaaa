"""The views of the chat page: they render its shell, which the browser fills over the API."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from conversations.content.media import FOR_CONVERSATIONS
from conversations.errors import NotFound, RateLimited
from conversations.front.modules import modules_of
from conversations.models import Conversation
from conversations.models.access import Right

LISTED = 50  # conversations in the initial page; the browser loads more
MAIN = "conversations/front/main.js"
# Only the platform's own files and responses: content that passes the sanitiser can neither execute nor load anything.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]


def with_policy(view: View[Arguments]) -> View[Arguments]:
    """Return the view with the pages' content security policy on its responses, which no cache keeps."""

    def secured(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = POLICY
        response["Referrer-Policy"] = "same-origin"
        response["Cache-Control"] = "no-store"
        return response

    return secured


@with_policy
@require_safe
@login_required
def chat(request: HttpRequest, conversation: uuid.UUID | None = None) -> HttpResponse:
    """Answer with the page, with a conversation if one is named; 404 if it is not the user's."""
    opened = None
    if conversation:
        try:
            opened = Conversation.objects.get_open(request.user, conversation, Right.READ)
        except NotFound:
            return render(request, "conversations/front/missing.html", status=404)
    shown = {
        "conversations": Conversation.objects.open_to(request.user, Right.OWN)
        .filter(archived=False)
        .order_by("-updated_at", "-id")[:LISTED],
        "current": conversation,
        "title": opened.title if opened else "",
        "tags": opened.tags if opened else [],
        "model": settings.COLLOQUY_DEFAULT_MODEL,
        "max_tokens": settings.COLLOQUY_DEFAULT_MAX_TOKENS,
        "modules": modules_of(MAIN),
        "accepted": ",".join(FOR_CONVERSATIONS),
        "sandbox": settings.SANDBOX,
    }
    return render(request, "conversations/front/chat.html", shown)


class LoginForm(AuthenticationForm):
    """The login form, which also shows the rate limit's error."""

    def clean(self) -> dict[str, object]:
        """Check the name and the password. Raises ValidationError."""
        try:
            return dict(super().clean())
        except RateLimited as error:
            raise ValidationError(error.message) from None


@method_decorator(with_policy, name="dispatch")
class Login(LoginView):
    """The login, which redirects to the requested page."""

    template_name = "conversations/front/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True
    next_page = "home"

    def get_context_data(self, **context: object) -> dict[str, object]:
        """Return what the page shows: the form, and whether the sandbox answers."""
        return super().get_context_data(sandbox=settings.SANDBOX, **context)
