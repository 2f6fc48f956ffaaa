"""Reports of what was deleted: kinds and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.apps import apps
from django.db import transaction
from django.db.models.functions import Now

from conversations.models import Deletion


def add(report: Deletion, counts: Mapping[str, int]) -> None:
    """Add counts to a report, which is stored with the first of them. Within the transaction that deletes."""
    with transaction.atomic():
        stored = Deletion.objects.select_for_update(no_key=True).filter(pk=report.pk).first()
        erased = Counter(stored.erased if stored else {})
        erased.update({name: count for name, count in counts.items() if count})
        report.erased = dict(sorted(erased.items()))
        if stored is None:
            report.save(force_insert=True)
        else:
            report.save(update_fields=["erased"])


def finish(report: Deletion) -> None:
    """Mark a report as finished."""
    Deletion.objects.filter(pk=report.pk).update(finished_at=Now())
    report.refresh_from_db()


def kinds(deleted: Mapping[str, int]) -> dict[str, int]:
    """Convert the ORM's counts of deleted rows to the names of kinds in reports, such as `attachments`, `turns`."""
    models = {apps.get_model(label): count for label, count in deleted.items()}
    return {
        str(model._meta.verbose_name_plural).replace(" ", "_"): count
        for model, count in models.items()
        if not model._meta.auto_created
    }
