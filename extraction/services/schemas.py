"""Schemas: stored once, numbered by name, and looked up by the client's references."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from conversations.errors import NotFound
from conversations.exact_json import dumps
from conversations.json_types import JSONObject
from conversations.models import User
from conversations.models.access import Viewer
from extraction.models import SchemaVersion

NO_SUCH_SCHEMA = "There is no schema with this id or name, or it belongs to another user."
VERSION_DIGITS = 10


@dataclass(frozen=True)
class NewSchema:
    """A validated schema, with instructions and examples for Claude."""

    json_schema: JSONObject
    native: bool
    """Whether structured outputs can enforce the whole schema in one request."""
    notes: Sequence[str] = ()
    """The constraints that structured outputs cannot enforce, and the platform validates."""
    instructions: str = ""
    examples: list[JSONObject] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """A digest that is equal for two schemas only if they ask for the same."""
        asked = [self.json_schema, self.instructions, self.examples]
        return hashlib.sha256(dumps(asked, separators=(",", ":")).encode()).hexdigest()


def add_version(*, user: User, name: str, new: NewSchema) -> SchemaVersion:
    """Return the next version under a name of the user's."""
    with transaction.atomic():
        # Concurrent additions of versions wait for each other here, and so get different numbers.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        newest = SchemaVersion.objects.filter(owner=user, name=name).order_by("-version").first()
        return _row(user, new, name=name, version=newest.version + 1 if newest else 1)


def keep_nameless(*, user: User, new: NewSchema) -> SchemaVersion:
    """Return the user's equal schema without a name, or a new one."""
    known = SchemaVersion.objects.filter(owner=user, name=None, digest=new.digest)
    if row := known.first():
        return row
    SchemaVersion.objects.bulk_create([_unsaved(user, new)], ignore_conflicts=True)
    return known.get()


@dataclass(frozen=True)
class Version:
    """A validated version of a schema in an archive; without a name it came with an extraction."""

    name: str | None
    version: int
    hidden: bool
    created_at: datetime
    new: NewSchema


def keep_versions(*, user: User, versions: Sequence[Version]) -> int:
    """Store those versions of schemas that the user does not have; return the number. Within the caller's transaction.

    A version keeps its number, unless that is taken: then it becomes the next version under its name.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return sum(_kept(user, each) for each in versions)


def _kept(user: User, each: Version) -> bool:
    """Store a version, unless the user has it; return whether it was stored."""
    under_name = SchemaVersion.objects.filter(owner=user, name=each.name)
    taken = each.name is not None and under_name.filter(version=each.version).exists()
    if (taken or each.name is None) and under_name.filter(digest=each.new.digest).exists():
        return False
    newest = under_name.order_by("-version").first() if taken else None
    row = _unsaved(user, each.new, name=each.name, version=newest.version + 1 if newest else each.version)
    row.hidden, row.created_at = each.hidden, each.created_at
    row.save(force_insert=True)
    return True


def _row(user: User, new: NewSchema, *, name: str, version: int) -> SchemaVersion:
    row = _unsaved(user, new, name=name, version=version)
    row.save(force_insert=True)
    return SchemaVersion.objects.get(pk=row.pk)


def _unsaved(user: User, new: NewSchema, *, name: str | None = None, version: int = 1) -> SchemaVersion:
    return SchemaVersion(
        owner=user,
        digest=new.digest,
        json_schema=new.json_schema,
        native=new.native,
        notes=list(new.notes),
        instructions=new.instructions,
        examples=new.examples,
        name=name,
        version=version,
    )


def find(*, user: User, named: str) -> SchemaVersion:
    """Return a user's schema by its id, by its name (the newest version) or as `name@version`. Raises NotFound."""
    found = named_so(user, named).order_by("-version").first()
    if found is None:
        raise NotFound(NO_SUCH_SCHEMA)
    return found


def named_so(user: Viewer, named: str) -> QuerySet[SchemaVersion]:
    """Return the versions of a user's schemas for an id, a name or `name@version`."""
    visible = SchemaVersion.objects.visible_to(user)
    try:
        return visible.filter(pk=uuid.UUID(named))
    except ValueError:
        pass
    name, at, version = named.rpartition("@")
    if not at:
        return visible.filter(name=named)
    is_number = version.isascii() and version.isdigit() and len(version) < VERSION_DIGITS
    return visible.filter(name=name, version=int(version)) if is_number else visible.none()


def listed(user: Viewer) -> QuerySet[SchemaVersion]:
    """Return the newest version under each of the user's names, without those that are hidden."""
    newer = SchemaVersion.objects.filter(
        owner=OuterRef("owner"), name=OuterRef("name"), version__gt=OuterRef("version")
    )
    return SchemaVersion.objects.visible_to(user).filter(~Exists(newer), name__isnull=False, hidden=False)


def hide(*, user: User, id: uuid.UUID) -> None:
    """Hide a name from lists, in all its versions; they can still be used. Raise NotFound."""
    row = SchemaVersion.objects.get_visible(user, id)
    same = SchemaVersion.objects.filter(pk=id) if row.name is None else SchemaVersion.objects.filter(name=row.name)
    same.filter(owner=user).update(hidden=True)


def note_refusal(*, id: uuid.UUID, model: str) -> None:
    """Record that a model refused the schema for structured outputs: instructions are used from now on."""
    with transaction.atomic():
        row = SchemaVersion.objects.select_for_update(no_key=True).get(pk=id)
        if model not in row.refused_by:
            row.refused_by = [*row.refused_by, model]
            row.save(update_fields=["refused_by"])
