from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.extracting.api_client import ENDED, LONGEST_PAUSE, ExtractionClient
from config.extracting.output import refused, result_of, write_csv, write_xlsx
from config.extracting.progress import FilesProgress
from config.server_access import Answer, Refused, add_server_options, check_token, refusals_told
from conversations.exact_json import loads
from extraction.results.result import Result, json_line

AT_ONCE = 8
"""Files that are extracted from at once."""


class Command(BaseCommand):
    """The command `manage.py extract`: extracts the data that a schema describes from files."""

    help = "Extracts data that a JSON Schema describes from files, through a running server's API; prints JSON lines."
    requires_system_checks = []  # they would load every page of the API and the admin, which the server has

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the files, the schema and the output."""
        parser.add_argument(
            "files", nargs="+", type=Path, metavar="FILE", help="text, image, PDF, Word, Excel or e-mail files"
        )
        parser.add_argument("--schema", required=True, help="a file with a JSON Schema, or a schema's name or id")
        parser.add_argument("--csv", type=Path, help="also write the results to this CSV file")
        parser.add_argument("--xlsx", type=Path, help="also write the results to this Excel workbook")
        parser.add_argument(
            "--batch",
            action="store_true",
            help="use Message Batches: half the price, but results may take up to 24 hours",
        )
        parser.add_argument("--model")
        parser.add_argument(
            "--no-evidence", action="store_true", help="do not ask Claude for a quote that supports each value"
        )
        add_server_options(parser)

    def handle(self, *args: object, **options: Any) -> None:
        """Extract, print, and exit with status 1 if a file has no valid data."""
        check_token(options)
        asked = _asked(options)
        client = ExtractionClient(options["url"], options["token"])
        results: list[Result] = []
        try:
            with refusals_told(options["url"]), FilesProgress(len(options["files"])) as progress:
                run = _batch if options["batch"] else _one_by_one
                for result in run(client, asked, options["files"], progress):
                    results.append(result)
                    sys.stdout.write(json_line(result).decode())
                    sys.stdout.flush()
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted; extractions that were started continue on the server.", returncode=130
            ) from None
        finally:
            client.close()
        _write(results, options)
        if any(result.status != "succeeded" for result in results):
            sys.exit(1)


def _asked(options: Mapping[str, Any]) -> Answer:
    """Return the common fields of all files' requests. Raise CommandError for a schema file that is not JSON."""
    missing = [str(file) for file in options["files"] if not file.is_file()]
    if missing:
        raise CommandError(f"There is no such file: {', '.join(missing)}")
    asked: dict[str, object] = {"schema": options["schema"]}
    path = Path(options["schema"])
    if path.is_file():
        try:
            asked["schema"] = loads(path.read_text())
        except ValueError as error:
            raise CommandError(f"{path} is not JSON: {error}") from None
    if options["model"]:
        asked["model"] = options["model"]
    if options["no_evidence"]:
        asked["evidence"] = False
    return asked


def _one_by_one(
    client: ExtractionClient, asked: Mapping[str, object], files: list[Path], progress: FilesProgress
) -> Iterator[Result]:
    """Yield the results of files in order, several of which are processed concurrently."""

    def extract(file: Path) -> Result:
        try:
            result = result_of(str(file), client.extract({**asked, "content": client.content_of(file)}))
        except Refused as error:
            result = refused(str(file), error.error)
        progress.add(valid=result.status == "succeeded", cost=Decimal(result.cost or 0))
        return result

    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(extract, files)


def _batch(
    client: ExtractionClient, asked: Mapping[str, object], files: list[Path], progress: FilesProgress
) -> Iterator[Result]:
    """Yield the results of files in order, when a batch by Message Batches has ended."""
    early: dict[str, Result] = {}
    items = []
    for file in files:
        try:
            items.append({"key": str(file), "content": client.content_of(file)})
        except Refused as error:
            early[str(file)] = refused(str(file), error.error)
    found = dict(early)
    if items:
        batch = client.create_batch({**asked, "items": items, "mode": "batch"})
        while batch["status"] not in ENDED:
            time.sleep(LONGEST_PAUSE / 5)
            batch = client.batch(batch["id"])
            _show(batch, len(early), progress)
        found |= {each["key"]: Result(**each) for each in client.batch_results(batch["id"])}
    yield from (found[str(file)] for file in files)


def _show(batch: Answer, refused: int, progress: FilesProgress) -> None:
    counts = batch["counts"]
    done = counts["total"] - counts["queued"] - counts["running"]
    progress.show(
        done=done + refused,
        invalid=done - counts["succeeded"] + refused,
        cost=Decimal(batch["cost"] or 0),
    )


def _write(results: list[Result], options: Mapping[str, Any]) -> None:
    if options["csv"]:
        write_csv(results, options["csv"])
    if options["xlsx"]:
        write_xlsx(results, options["xlsx"])
