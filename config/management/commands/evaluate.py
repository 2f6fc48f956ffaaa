from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from config.extracting.api_client import PAUSE, ExtractionClient
from config.server_access import Answer, add_server_options, check_token, refusals_told
from conversations.exact_json import dumps, loads


class Command(BaseCommand):
    """The command `manage.py evaluate`: evaluates ways of extracting data against known data."""

    help = "Compares ways of extracting data, using contents with known data and a running server; prints the scores."
    requires_system_checks = []  # they would load every page of the API and the admin, which the server has

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the contents and the runs."""
        parser.add_argument("items", help='a file of JSON lines {"content", "expected"}, or the id of a reviewed batch')
        parser.add_argument(
            "--run",
            action="append",
            required=True,
            metavar="SCHEMA[:MODEL]",
            help="a schema's id, name or name@version, and a model; repeat it for each run",
        )
        parser.add_argument("--json", action="store_true", help="print the whole evaluation as JSON instead of a table")
        add_server_options(parser)

    def handle(self, *args: object, **options: Any) -> None:
        """Evaluate, wait for the end of all runs, and print the results."""
        check_token(options)
        asked = {"items": _items(options["items"]), "runs": [_run(each) for each in options["run"]]}
        client = ExtractionClient(options["url"], options["token"])
        try:
            with refusals_told(options["url"]):
                evaluation = client.create_evaluation(asked)
                while evaluation["status"] != "ended":
                    time.sleep(PAUSE)
                    evaluation = client.evaluation(evaluation["id"])
        finally:
            client.close()
        if options["json"]:
            sys.stdout.write(dumps(evaluation) + "\n")
        else:
            Console(file=sys.stdout).print(_table(evaluation))


def _items(named: str) -> object:
    """Return the contents of a file, or the batch. Raise CommandError for a line that is not JSON."""
    if not Path(named).is_file():
        return {"batch": named}
    items = []
    for number, line in enumerate(Path(named).read_text().splitlines(), 1):
        if line.strip():
            try:
                items.append(loads(line))
            except ValueError as error:
                raise CommandError(f"{named}, line {number}: {error}") from None
    return items


def _run(named: str) -> dict[str, str]:
    schema, _, model = named.partition(":")
    return {"schema": schema, "model": model} if model else {"schema": schema}


def _table(evaluation: Answer) -> Table:
    """Return the precision and recall of each run, in total and by field, with cost and time."""
    runs = evaluation["runs"]
    table = Table("field", *(f"{number}: {run['model']}" for number, run in enumerate(runs, 1)))
    scores = [{each["field"]: each for each in run["scores"]["fields"]} for run in runs]
    table.add_row("all", *(_rates(run["scores"]["total"]) for run in runs), end_section=True)
    for field in dict.fromkeys(field for found in scores for field in found):
        table.add_row(field, *(_rates(found.get(field)) for found in scores))
    table.add_section()
    table.add_row("cost", *(f"${run['cost']}" if run["cost"] is not None else "unknown" for run in runs))
    table.add_row("mean time", *(f"{run['latency']['mean']} s" for run in runs))
    return table


def _rates(score: Answer | None) -> str:
    """Return precision and recall, and the errors."""
    if score is None:
        return "-"
    rates = " / ".join("-" if score[name] is None else f"{score[name]:.1%}" for name in ("precision", "recall"))
    return f"{rates} ({score['wrong']} wrong, {score['missing']} missing, {score['extra']} extra)"
