"""Static files from the web process itself, named by their content, so that browsers keep them for a year.

No build step and no copy is needed: a name's hash is computed when the name is first asked for.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

DIGITS = 12  # of the hash


@cache
def hashed_name(name: str) -> str:
    """Return a static file's name with the hash of its content before the suffix; the name itself if there is none."""
    path = finders.find(name)
    if path is None:
        return name
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    root, suffix = os.path.splitext(name)
    return f"{root}.{digest}{suffix}"


class HashedFiles(StaticFilesStorage):
    """Gives static files URLs that change with their content."""

    def url(self, name: str | None) -> str:
        """Return the URL of a file."""
        return super().url(hashed_name(name) if name else name)


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, with the hashed names, and a file is sent whole: ASGI servers warn of synchronous iterators."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the file, or go on."""
        url = request.path_info
        if url not in self.files and self.immutable_file_test(None, url):
            path = finders.find(self.get_name_without_hash(url.removeprefix(self.static_prefix)))
            self.add_file_to_dictionary(url, path)  # which is then sent as one that never changes
        response: HttpResponseBase = super().__call__(request)
        return response

    def serve(self, static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Return a static file whole: ASGI servers warn of a synchronous iterator, which a streamed one is."""
        streamed = super().serve(static_file, request)
        return HttpResponse(streamed.getvalue(), status=streamed.status_code, headers=dict(streamed.items()))
