"""Static files from the web process itself, named by their content, so that browsers keep them for a year.

No build step is needed: a name's hash is computed when the name is first used. Since scripts import each other by
relative names, they are served from a folder with the hash of all their files.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

DIGITS = 12  # of the hash
FOLDERS = ("conversations", "extraction")  # with scripts that import each other
VERSIONED = re.compile(rf"^modules-[0-9a-f]{{{DIGITS}}}/(?=(?:{'|'.join(FOLDERS)})/)")


@cache
def hashed_name(name: str) -> str:
    """Return a static file's name with the hash of its content before the suffix; the name itself if there is none."""
    path = finders.find(name)
    if path is None:
        return name
    if name.split("/")[0] in FOLDERS and name.endswith(".js"):
        return f"modules-{modules_hash()}/{name}"
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    root, suffix = os.path.splitext(name)
    return f"{root}.{digest}{suffix}"


@cache
def modules_hash() -> str:
    """Return the hash of all files in the folders with scripts."""
    digest = hashlib.sha256()
    for folder in FOLDERS:
        root = Path(str(finders.find(folder)))
        for file in sorted(path for path in root.rglob("*") if path.is_file()):
            name = f"{folder}/{file.relative_to(root)}\0"
            digest.update(name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:DIGITS]


class HashedFiles(StaticFilesStorage):
    """A storage whose URLs of static files change with the files' content."""

    def url(self, name: str | None) -> str:
        """Return the URL of a file."""
        return super().url(hashed_name(name) if name else name)


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, with the hashed names, and a file is sent whole: ASGI servers warn of synchronous iterators."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the file, or pass the request on."""
        url = request.path_info
        if url not in self.files and self.immutable_file_test(None, url):
            path = finders.find(self.get_name_without_hash(url.removeprefix(self.static_prefix)))
            self.add_file_to_dictionary(url, path)  # which is then sent as one that never changes
        response: HttpResponseBase = super().__call__(request)
        return response

    def get_name_without_hash(self, filename: str) -> str:
        """Return the name of the file that a hashed name stands for."""
        if VERSIONED.match(filename):
            return VERSIONED.sub("", filename)
        return str(super().get_name_without_hash(filename))

    def immutable_file_test(self, path: str | None, url: str) -> bool:
        """Return whether a URL has the hash of its file's present content."""
        name = url.removeprefix(self.static_prefix)
        if VERSIONED.match(name):
            return name.startswith(f"modules-{modules_hash()}/") and self._is_there(name)
        return bool(super().immutable_file_test(path, url))

    def _is_there(self, name: str) -> bool:
        return finders.find(self.get_name_without_hash(name)) is not None

    def serve(self, static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Return a static file whole: ASGI servers warn of a synchronous iterator, which a streamed one is."""
        streamed = super().serve(static_file, request)
        return HttpResponse(streamed.getvalue(), status=streamed.status_code, headers=dict(streamed.items()))
