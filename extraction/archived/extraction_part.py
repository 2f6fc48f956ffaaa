"""Ended extractions in archives, with their sources and reviews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rest_framework import serializers

from conversations.api.parsers import parse_json
from conversations.api.serializer_fields import Boolean, Integer, Json, StrictSerializer, String
from conversations.api.serializers import moment
from conversations.archives.conversation_part import REFUSALS, told
from conversations.archives.parts import Entry, Importing, Part
from conversations.content import block_checks, sources
from conversations.contract.extraction_types import Evidence
from conversations.contract.wire import Block
from conversations.contract.wire import Source as BlockSource
from conversations.database import persistently
from conversations.errors import InvalidRequest
from conversations.exact_json import dumps
from conversations.models import User
from conversations.models.conversation import ORIGIN_LENGTH
from conversations.services import imports
from conversations.services.conversation_import import OWN
from conversations.services.files import attachments
from extraction import checks
from extraction.documents.sources import READ, Source
from extraction.models import Extraction, Review, SchemaVersion
from extraction.services import extraction_import
from extraction.services.extraction_import import Imported, ImportedReview
from extraction.services.extractions import Outcome, Spec

AT_ONCE = 50
KINDS = ("text", "document", "pdf", "image", "url")
EVIDENCE = ("exact", "fuzzy", "not_found", "claimed")


class SchemaNamedSerializer(StrictSerializer):
    digest = String(max_length=64)
    name = String(max_length=100, allow_null=True)
    version = Integer()


class ProblemSerializer(StrictSerializer):
    path = String(allow_blank=True, trim_whitespace=False)
    message = String(allow_blank=True, trim_whitespace=False)


class FailureSerializer(StrictSerializer):
    type = String(max_length=100)
    message = String(allow_blank=True, trim_whitespace=False)


class EvidenceSerializer(StrictSerializer):
    path = String(allow_blank=True, trim_whitespace=False)
    quote = String(allow_blank=True, trim_whitespace=False)
    start = Integer(required=False, allow_null=True, min_value=0)
    end = Integer(required=False, allow_null=True, min_value=0)
    page = Integer(required=False, min_value=1)
    source = Integer(min_value=0)  # type: ignore[assignment]
    status = serializers.ChoiceField(EVIDENCE)


class ArchivedTextSerializer(StrictSerializer):
    index = Integer(min_value=0, max_value=2**31 - 1)
    kind = serializers.ChoiceField(KINDS)
    text = String(allow_null=True, allow_blank=True, trim_whitespace=False)
    pages = serializers.ListField(child=Integer(min_value=0))
    title = String(allow_null=True, allow_blank=True, trim_whitespace=False)


class ArchivedReviewSerializer(StrictSerializer):
    decision = serializers.ChoiceField(Review.Decision.choices)
    data = Json()  # type: ignore[assignment]
    comment = String(allow_blank=True, max_length=10_000)
    by_owner = Boolean()
    created_at = serializers.DateTimeField()


class ArchivedExtractionSerializer(StrictSerializer):
    """A line about an extraction."""

    id = serializers.UUIDField()
    origin = String(allow_null=True, max_length=ORIGIN_LENGTH)
    schema = SchemaNamedSerializer()
    content = Json(list)
    model = String(max_length=200)
    max_tokens = Integer(allow_null=True, min_value=1, max_value=10_000_000)
    max_attempts = Integer(min_value=1, max_value=5)
    wants_evidence = Boolean()
    metadata = Json(dict)
    status = serializers.ChoiceField(sorted(Extraction.TERMINAL))
    data = Json()  # type: ignore[assignment]
    problems = serializers.ListField(child=ProblemSerializer())
    evidence = serializers.ListField(child=EvidenceSerializer())
    error = FailureSerializer(allow_null=True)
    sources = serializers.ListField(child=ArchivedTextSerializer())
    reviews = serializers.ListField(child=ArchivedReviewSerializer(), max_length=1000)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


TEXT = ("index", "kind", "text", "pages", "title")
TIMES = ("created_at", "started_at", "finished_at")
PLAIN = (
    *("content", "model", "max_tokens", "max_attempts", "wants_evidence", "metadata", "status"),
    *("data", "problems", "evidence", "error"),
)


def lines(user: User) -> Iterator[bytes]:
    """Yield a line for each of a user's extractions that has ended, the oldest first."""
    own = Extraction.objects.filter(owner=user, status__in=Extraction.TERMINAL).order_by("pk")
    rows, last = own.select_related("schema").prefetch_related("source_texts", "reviews"), None
    while some := list((rows.filter(pk__gt=last) if last else rows)[:AT_ONCE]):
        for row in some:
            yield dumps(_line(row)).encode() + b"\n"
        last = some[-1].pk


def _line(row: Extraction) -> dict[str, object]:
    schema = row.schema
    texts = [{name: getattr(each, name) for name in TEXT} for each in row.source_texts.all()]
    return {
        "id": str(row.pk),
        "origin": row.origin,
        "schema": {"digest": schema.digest, "name": schema.name, "version": schema.version},
        **{name: getattr(row, name) for name in PLAIN},
        "sources": texts,
        "reviews": [_review(row, each) for each in sorted(row.reviews.all(), key=lambda review: review.pk)],
        **{name: moment(getattr(row, name)) for name in TIMES},
    }


def _review(row: Extraction, review: Review) -> dict[str, object]:
    own = {"by_owner": review.reviewer_id == row.owner_id, "created_at": moment(review.created_at)}
    return {"decision": review.decision, "data": review.data, "comment": review.comment, **own}


async def take(importing: Importing, entries: Sequence[Entry]) -> None:
    """Store extractions from an archive. Claims about their data are verified as far as possible."""
    tally, several = imports.Tally(done=len(entries)), []
    for entry in entries:
        try:
            several.append(await _imported(importing, parse_json(entry.text, exact=True)))
        except REFUSALS as error:
            tally.fail(entry.place, told(error))
    await persistently(_store, importing, several, tally)


def _store(importing: Importing, several: Sequence[Imported], tally: imports.Tally) -> None:
    with imports.step(importing.job) as sums:
        new = extraction_import.store(owner=importing.owner, several=several)
        vars(sums).update({**vars(tally), "extractions": new, "skipped": len(several) - new})


async def _imported(importing: Importing, entry: object) -> Imported:
    """Return a validated extraction, whose files are attachments here. Raise one of `REFUSALS`."""
    line = ArchivedExtractionSerializer.checked_values(entry)
    schema = await persistently(_schema_of, importing, **line["schema"])
    corrected = [each["data"] for each in line["reviews"] if each["decision"] == Review.Decision.CORRECTED]
    succeeded = [line["data"]] if line["status"] == Extraction.Status.SUCCEEDED else []
    await _check_data([*succeeded, *corrected], schema)
    texts = [Source(**{**each, "pages": tuple(each["pages"])}) for each in line["sources"]]
    _check_quotes(line["evidence"], texts)
    spec = Spec(
        schema=schema,
        content=await persistently(_content, importing, line["content"]),
        sources=texts,
        **{name: line[name] for name in ("model", "max_tokens", "max_attempts", "wants_evidence", "metadata")},
    )
    return Imported(
        origin=line["origin"] or f"{OWN}{line['id']}",
        spec=spec,
        outcome=Outcome(**{name: line[name] for name in ("status", "data", "problems", "evidence", "error")}),
        reviews=[ImportedReview(**each) for each in line["reviews"]],
        times={name: line[name] for name in TIMES},
    )


def _schema_of(importing: Importing, *, digest: str, name: str | None, version: int) -> SchemaVersion:
    """Return the owner's equal schema, of the same name if possible, or a new one. Raise InvalidRequest."""
    same = list(SchemaVersion.objects.filter(owner=importing.owner, digest=digest).order_by("pk"))
    if not same:
        raise InvalidRequest("schema: Its schema is neither in the archive nor here.")
    return max(same, key=lambda row: (row.name == name, row.version == version))


def _content(importing: Importing, content: object) -> list[Block]:
    """Return content with the owner's attachments. Raise InvalidRequest, UnsupportedMediaType or NotFound."""

    def put_in(source: BlockSource) -> BlockSource:
        if source.get("type") != "attachment":
            return source
        return {**source, "attachment": importing.attachments.get(source["attachment"], source["attachment"])}

    blocks = block_checks.checked_blocks(content, "content", READ)
    kept = sources.with_sources(blocks, put_in)
    return attachments.store_sources(owner=importing.owner, blocks=kept, documents=READ)


async def _check_data(several: Sequence[object], schema: SchemaVersion) -> None:
    """Raise InvalidRequest if data does not satisfy the schema that it claims to satisfy."""
    for data in several:
        judgement = await checks.judged(schema.owner_id, schema.json_schema, dumps(data))
        for problem in judgement.problems[:1]:
            raise InvalidRequest(f"data{problem['path']}: {problem['message']}")


def _check_quotes(evidence: Iterable[Evidence], texts: Iterable[Source]) -> None:
    """Raise InvalidRequest if a quote is not exactly at its claimed place."""
    by_index = {each.index: each.text or "" for each in texts}
    for each in evidence:
        text = by_index.get(each["source"], "")
        if each["status"] == "exact" and text[each.get("start") or 0 : each.get("end") or 0] != each["quote"]:
            raise InvalidRequest(f"evidence: The quote for {each['path']} is not at the given offsets.")


EXTRACTIONS = Part("extraction/extractions.jsonl", lines, take)
