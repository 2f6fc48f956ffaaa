"""Schemas in archives: a line for each version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rest_framework import serializers

from conversations.api.parsers import parse_json
from conversations.api.serializer_fields import Boolean, Integer
from conversations.api.serializers import moment
from conversations.archives.conversation_part import REFUSALS, told
from conversations.archives.parts import Entry, Importing, Part
from conversations.database import persistently
from conversations.exact_json import dumps
from conversations.models import User
from conversations.services import imports
from extraction import checks
from extraction.api.schemas import SchemaRequestSerializer
from extraction.models import SchemaVersion
from extraction.services import schemas
from extraction.services.schemas import NewSchema, Version

AT_ONCE = 100
FIELDS = ("name", "version", "json_schema", "instructions", "examples", "hidden")


class ArchivedSchemaSerializer(SchemaRequestSerializer):
    """A line about a version of a schema; one without a name came with an extraction."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_null=True, max_length=100)  # type: ignore[assignment]
    version = Integer(min_value=1, max_value=2**31 - 1)
    hidden = Boolean()
    created_at = serializers.DateTimeField()

    def validate_name(self, name: str | None) -> str | None:  # type: ignore[override]
        """Return the name, if there is one. Raises ValidationError as for new schemas."""
        return name if name is None else super().validate_name(name)


def lines(user: User) -> Iterator[bytes]:
    """Yield a line for each version of a user's schemas, the oldest first."""
    own, last = SchemaVersion.objects.filter(owner=user).order_by("pk"), None
    while some := list((own.filter(pk__gt=last) if last else own)[:AT_ONCE]):
        for row in some:
            yield dumps(_line(row)).encode() + b"\n"
        last = some[-1].pk


def _line(row: SchemaVersion) -> dict[str, object]:
    return {
        "id": str(row.pk),
        **{
            name: getattr(row, name)
            for name in ("name", "version", "json_schema", "instructions", "examples", "hidden")
        },
        "created_at": moment(row.created_at),
    }


async def take(importing: Importing, entries: Sequence[Entry]) -> None:
    """Store versions of schemas from an archive, validated like new ones."""
    tally, checked = imports.Tally(done=len(entries)), []
    for entry in entries:
        try:
            line = ArchivedSchemaSerializer.checked_values(parse_json(entry.text, exact=True))
            examples = line.get("examples", [])
            found = await checks.checked(importing.job.owner_id, line["json_schema"], examples, field="json_schema")
            new = NewSchema(line["json_schema"], found.native, found.notes, line.get("instructions", ""), examples)
            checked.append(Version(line["name"], line["version"], line["hidden"], line["created_at"], new))
        except REFUSALS as error:
            tally.fail(entry.place, told(error))
    await persistently(_store, importing, checked, tally)


def _store(importing: Importing, checked: Sequence[Version], tally: imports.Tally) -> None:
    with imports.step(importing.job) as sums:
        new = schemas.keep_versions(user=importing.owner, versions=checked)
        vars(sums).update({**vars(tally), "skipped": len(checked) - new})


SCHEMAS = Part("extraction/schemas.jsonl", lines, take)
