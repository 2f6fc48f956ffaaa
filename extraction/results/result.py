"""The result of one item in files of results."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from conversations.contract.error_types import Failure
from conversations.contract.event_types import UsageSum
from conversations.contract.extraction_types import Evidence, Problem, ReviewShown
from conversations.exact_json import dumps
from conversations.json_types import JSON


@dataclass(frozen=True)
class Result:
    """One item and its result; `data` is the corrected data if there is a correction."""

    key: str
    """The item's name: its key in the batch, or the name of its file."""
    status: str
    data: JSON = None
    problems: list[Problem] = field(default_factory=list)
    error: Failure | None = None
    evidence: list[Evidence] = field(default_factory=list)
    review: ReviewShown | None = None
    usage: UsageSum | dict[str, int] = field(default_factory=dict)
    cost: str | None = None
    """US dollars as a decimal string; None where a price is not known."""
    extraction: str | None = None
    """The id of its extraction, if it has one."""

    @property
    def complaint(self) -> str:
        """The item's error or problems, as text; empty if there are none."""
        if self.error:
            return str(self.error.get("message") or self.error.get("type") or "")
        return "; ".join(f"{problem['path'] or '/'}: {problem['message']}" for problem in self.problems)


def json_line(result: Result) -> bytes:
    """Return a result as a line of JSON in UTF-8. Numbers keep their digits."""
    return dumps(asdict(result)).encode() + b"\n"
