"""The API of evaluations: create, list, and show with the scores of each run."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.content_field import ContentField
from conversations.api.parsers import ExactJSONParser
from conversations.api.queries import PageQuery, Queried
from conversations.api.renderers import ExactJSONRenderer
from conversations.api.requesters import user_of
from conversations.api.schema.error_components import errors
from conversations.api.serializer_fields import Id, Json, StrictSerializer
from conversations.content.block_checks import checked_blocks
from conversations.models import User
from conversations.services.files import attachments
from extraction.api.batch_serializers import BatchSettingsSerializer, CountsSerializer, new_batch
from extraction.api.batch_views import schema_of
from extraction.api.serializers import SchemaNameSerializer
from extraction.documents.sources import READ
from extraction.evaluation_report import report_of
from extraction.models import Batch, Evaluation
from extraction.services import evaluations
from extraction.services.evaluations import ITEMS_LIMIT, ExpectedItem

RUNS_LIMIT = 10


class ExpectedSerializer(StrictSerializer):
    """A content whose data is known."""

    content = ContentField()
    expected = Json(help_text="The data that is right for it.")


@extend_schema_serializer(component_name="NewEvaluationRun")
class RunRequestSerializer(BatchSettingsSerializer):
    """One way of extracting the data: a schema and a model."""


@extend_schema_serializer(component_name="NewEvaluation")
class EvaluationRequestSerializer(StrictSerializer):
    """Contents with the expected data, and the runs to compare."""

    items = Json(
        list,
        dict,
        help_text='A list of contents with the expected data; or, to use reviewed data, `{"batch": id}` or '
        '`{"extractions": [id, ...]}`.',
    )
    runs = RunRequestSerializer(many=True, allow_empty=False)

    def validate_runs(self, runs: list[dict[str, object]]) -> list[dict[str, object]]:
        """Return the runs. Raises ValidationError for too many."""
        if len(runs) > RUNS_LIMIT:
            raise serializers.ValidationError(f"Must be {RUNS_LIMIT} at most.")
        return runs

    def validate_items(self, items: list[object] | dict[str, object]) -> object:
        """Return the contents, or what was reviewed: an object with the id of a batch, or ids of extractions.

        Raises ValidationError.
        """
        if isinstance(items, dict):
            return _reviewed(items)
        if not 1 <= len(items) <= ITEMS_LIMIT:
            raise serializers.ValidationError(f"Must be 1 to {ITEMS_LIMIT}.")
        serializer = ExpectedSerializer(data=items, many=True)
        serializer.is_valid(raise_exception=True)
        return items


def _reviewed(items: dict[str, object]) -> dict[str, object]:
    """Return the validated selection of reviewed data. Raise ValidationError."""
    match items:
        case {"batch": id, **rest} if not rest:
            return {"batch": Id().run_validation(id)}
        case {"extractions": list(ids), **rest} if not rest:
            if not 1 <= len(ids) <= ITEMS_LIMIT:
                raise serializers.ValidationError({"extractions": [f"Must be 1 to {ITEMS_LIMIT}."]})
            return {"extractions": serializers.ListField(child=Id()).run_validation(ids)}
    raise serializers.ValidationError("Must be a list, or an object with either `batch` or a list of `extractions`.")


class ScoreSerializer(serializers.Serializer[object]):
    """How often values matched what is expected."""

    shows_every_field = True

    expected = serializers.IntegerField()
    exact = serializers.IntegerField()
    normalised = serializers.IntegerField(help_text="Mean the same: numbers, dates, white space, case. With `exact`.")
    wrong = serializers.IntegerField()
    missing = serializers.IntegerField()
    extra = serializers.IntegerField()
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)


class FieldScoreSerializer(ScoreSerializer):
    """The score of one field."""

    field = serializers.CharField(help_text="A JSON Pointer, with `*` for every item of a list.")


class ScoresSerializer(serializers.Serializer[object]):
    """The scores of a run."""

    shows_every_field = True

    total = ScoreSerializer()
    fields = FieldScoreSerializer(many=True)  # type: ignore[assignment]


class LatencySerializer(serializers.Serializer[object]):
    """The latency of the extractions, in seconds."""

    shows_every_field = True

    mean = serializers.FloatField(allow_null=True)
    longest = serializers.FloatField(allow_null=True)


class RunSerializer(serializers.Serializer[object]):
    """A run, with the quality of its data."""

    shows_every_field = True

    batch = serializers.UUIDField()
    schema = SchemaNameSerializer()
    model = serializers.CharField()
    status = serializers.ChoiceField(Batch.Status.choices)
    counts = CountsSerializer()
    scores = Json(
        help_text="Scores over the extractions that have ended: `total`, and `fields` with the scores of each `field`."
    )
    cost = serializers.CharField(allow_null=True, help_text="US dollars; null if a price is unknown.")
    latency = LatencySerializer()


class RunValueSerializer(serializers.Serializer[object]):
    """A run's value at a place."""

    shows_every_field = True

    value = Json()
    match = serializers.ChoiceField(["exact", "normalised", "wrong", "missing", "extra"], allow_null=True)


class DifferenceSerializer(serializers.Serializer[object]):
    """A place at which a run's value is wrong, with the values of all runs."""

    shows_every_field = True

    key = serializers.CharField()
    field = serializers.CharField()
    path = serializers.CharField()
    expected = Json()
    runs = RunValueSerializer(many=True)


class EvaluationSerializer(serializers.Serializer[Evaluation]):
    """An evaluation, with its results so far."""

    shows_every_field = True

    id = serializers.UUIDField()
    status = serializers.ChoiceField(["running", "ended"])
    items = serializers.IntegerField()
    runs = RunSerializer(many=True)
    differences = DifferenceSerializer(many=True)
    created_at = serializers.DateTimeField()


def shown(evaluation: Evaluation) -> dict[str, object]:
    """Return an evaluation, serialized."""
    report = report_of(evaluation)
    return {
        "id": evaluation.pk,
        "status": "ended" if report.ended else "running",
        "items": report.items,
        "runs": [
            {name: value for name, value in run.items() if name not in ("schema_shown", "items")} for run in report.runs
        ],
        "differences": report.differences,
        "created_at": evaluation.created_at,
    }


@extend_schema_view(
    retrieve=extend_schema(
        operation_id="getEvaluation",
        summary="Get an evaluation",
        description="Returns an evaluation, with the scores of each run by field, its cost and latency, and the "
        "differences between the runs.",
        responses={200: EvaluationSerializer},
    ),
    list=extend_schema(
        operation_id="listEvaluations",
        summary="List evaluations",
        description="Returns the user's evaluations, newest first.",
        responses={200: EvaluationSerializer(many=True)},
    ),
)
class EvaluationViewSet(Queried, mixins.ListModelMixin, viewsets.GenericViewSet[Evaluation]):
    """Create and show a user's evaluations."""

    serializer_class = EvaluationSerializer
    queryset = Evaluation.objects.none()
    queries = {"list": PageQuery}
    with_body = ("create",)
    renderer_classes = (ExactJSONRenderer,)
    parser_classes = (ExactJSONParser,)

    def get_queryset(self) -> QuerySet[Evaluation]:
        """Return the user's evaluations."""
        return Evaluation.objects.visible_to(self.request.user)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return an evaluation with its runs."""
        return Response(shown(Evaluation.objects.get_visible(request.user, pk)))

    def list(self, request: Request) -> Response:
        """Return a page of the evaluations."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([shown(each) for each in page or ()])

    @extend_schema(
        operation_id="createEvaluation",
        summary="Create an evaluation",
        description="Extracts data from contents in several ways (runs), and compares the results with the expected "
        "data. The contents are sent with the request, or are those of extractions whose data was approved or "
        "corrected.",
        request=EvaluationRequestSerializer,
        responses={201: EvaluationSerializer, **errors(404, 415)},
    )
    def create(self, request: Request) -> Response:
        """Begin an evaluation; return it with status 201."""
        serializer = EvaluationRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        owner, asked = user_of(request), serializer.validated_data
        runs = [new_batch(each, schema_of(owner, each["schema"])) for each in asked["runs"]]
        evaluation = evaluations.create(user=owner, items=expected_items(owner, asked["items"]), runs=runs)
        return Response(shown(Evaluation.objects.get(pk=evaluation.pk)), status=201)


def expected_items(owner: User, items: Any) -> list[ExpectedItem]:
    """Return the contents of an evaluation. Raise NotFound for another user's batch or extraction."""
    match items:
        case {"batch": id}:
            return evaluations.of_batch(Batch.objects.get_visible(owner, id))
        case {"extractions": ids}:
            return evaluations.of_extractions(owner, ids)
    found = []
    for number, each in enumerate(items):
        blocks = checked_blocks(each["content"], f"items.{number}.content", READ)
        content = attachments.store_sources(owner=owner, blocks=blocks, documents=READ)
        found.append(ExpectedItem(str(number), content, each["expected"]))
    return found
