"""A child process for tasks that a user's schema can make expensive; it can be killed.

Run as `python -m extraction.check_process SECONDS MEGABYTES` by extraction/processes.py: tasks come in at stdin and
replies go out at stdout, each as JSON on a line of its own. A task that needs more CPU time or memory than that ends
the process, and so does one that has not ended after some multiple of that time: the timers' signals are not handled
here, so that no regular expression can put them off. It is CPU time that is limited because the process comes last
on a busy machine, which is not the task's fault. The process ends by itself, with status 0, when its parent has ended,
and when it has had no task for a while.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from conversations.errors import InvalidRequest, UnsupportedMediaType
from conversations.exact_json import dumps, loads
from conversations.json_types import JSON
from extraction.answers import judged
from extraction.documents.merging import Found, merge
from extraction.extracting.joining import joined
from extraction.schemas.checking import checked
from extraction.schemas.grouping import groups
from extraction.schemas.validation import Validator

IDLE = 60.0  # seconds without a task
NICE = 10  # the processes that serve users come first
PATIENCE = 5  # times the limit of CPU time that a task may take on a busy machine

Tasks = Mapping[str, Callable[..., Any]]

TASKS: Tasks = {
    "checked": lambda **asked: asdict(checked(**asked)),
    "groups": lambda **asked: [asdict(group) for group in groups(**asked)],
    "joined": lambda texts: asdict(joined(texts)),
    "judged": lambda **asked: asdict(judged(**asked)),
    "merged": lambda parts: asdict(merge([_found(**part) for part in parts])),
    "problems": lambda schema, data: Validator(schema).problems(data),
}


def _found(data: JSON, places: dict[str, list[int]], overlaps: list[tuple[int, int]]) -> Found:
    """Return the results of a part from JSON."""
    known = {path: (source, offset) for path, (source, offset) in places.items()}
    return Found(data, known, dict(overlaps))


def reply_to(task: str, tasks: Tasks) -> str:
    """Run a task, and return its result, or the error of the request, as JSON."""
    asked = loads(task)
    try:
        return dumps({"result": tasks[asked["task"]](**asked["arguments"])})
    except (InvalidRequest, UnsupportedMediaType) as error:
        return dumps({"refused": {"message": error.message, "details": error.details}})


def main(seconds: float, megabytes: int, tasks: Tasks) -> None:
    """Run tasks from stdin."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to all of a terminal's or a service's processes: not for us
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    while select.select([sys.stdin], [], [], IDLE)[0] and (task := sys.stdin.readline()):
        _limit(seconds)
        reply = reply_to(task, tasks)
        _limit(0)
        print(reply, flush=True)  # noqa: T201 - this is what stdout is for


def _limit(seconds: float) -> None:
    """Have the process ended when it has used so many seconds of CPU time, or far more have passed; never for 0."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), TASKS)
