"""The admin's pages of evaluations: the runs side by side, field by field, and their differences."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from conversations.admin.readonly import ReadOnlyAdmin
from conversations.exact_json import dumps
from extraction.evaluation.scoring import FieldScoreShown
from extraction.evaluation_report import Report, RunReport, report_of
from extraction.models import Evaluation
from extraction.services.evaluations import Difference

SHOWN = 200
"""The number of differences on the page."""
NAMES = {"normalised": "same meaning"}


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyAdmin):
    """Evaluations with their runs, read-only."""

    private = "owner"
    list_display = ("created_at", "owner", "runs_shown", "id")
    list_filter = ("created_at",)
    list_select_related = ("owner",)
    found_by_user = "owner"
    heavy = ("differences",)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Answer with an evaluation's page, after recording the access in the access log."""
        found = self.get_object(request, object_id)
        if found is None or not self.has_view_permission(request, found):
            return super().change_view(request, object_id, form_url, extra_context)
        self.note_opening(request, found)
        report = report_of(found)
        shown = {
            **self.admin_site.each_context(request),
            "title": f"Evaluation of {report.items} content{'' if report.items == 1 else 's'}",
            "report": report,
            "fields": _fields(report),
            "differences": [_readable(row) for row in report.differences[:SHOWN]],
            "more": len(report.differences) - SHOWN,
        }
        return TemplateResponse(request, "extraction/evaluation.html", shown)

    @admin.display(description="runs")
    def runs_shown(self, evaluation: Evaluation) -> str:
        """Return the schema and the model of each run."""
        runs = evaluation.runs.select_related("batch__schema")
        return " / ".join(f"{run.batch.schema}, {run.batch.model}" for run in runs)


def _fields(report: Report) -> list[dict[str, object]]:
    """Return a row for each field with the score of each run, and whether the runs differ."""
    names = dict.fromkeys(each["field"] for run in report.runs for each in run["scores"]["fields"])
    rows = []
    for name in names:
        of_runs = [
            next((each for each in run["scores"]["fields"] if each["field"] == name), None) for run in report.runs
        ]
        recalls = {each["recall"] if each else None for each in of_runs}
        rows.append({"field": name, "runs": of_runs, "differs": len(recalls) > 1})
    return rows


def _score(run: RunReport, field: str) -> FieldScoreShown | None:
    """Return a run's score of a field; None if the field did not occur."""
    return next((each for each in run["scores"]["fields"] if each["field"] == field), None)


def _readable(row: Difference) -> dict[str, object]:
    values = [{**each, "value": _text(each["value"]), "said": _said(each["match"])} for each in row["runs"]]
    return {**row, "expected": _text(row["expected"]), "runs": values}


def _said(match: str | None) -> str:
    """Return the label of a match; empty if the run has nothing at this place."""
    return "not there" if match is None else NAMES.get(match, match)


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else dumps(value, ascii=False)
