"""A PDF that crashes its parser or needs too much is refused; a failure of our own is not blamed on the file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conversations.errors import ColloquyError
from conversations.services.files import pdf_checks
from tests.files import pdf


@pytest.mark.parametrize(
    ("ends", "status"), [("kill -SEGV $$", 415), ("kill -KILL $$", 415), ("echo boom >&2; exit 1", 500)]
)
def test_a_crash_is_told_from_a_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ends: str, status: int
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ncat > /dev/null\n{ends}\n")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ColloquyError) as raised:
        pdf_checks.check_opens(pdf("What is it?"))
    assert raised.value.status == status
    assert ("boom" in caplog.text) == (status == 500)


def test_what_needs_more_memory_than_it_may_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_checks, "MEGABYTES", 300)
    with pytest.raises(ColloquyError) as raised:
        pdf_checks.check_opens(b"%PDF-1.4\n" + bytes(400 << 20))
    assert raised.value.status == 415
