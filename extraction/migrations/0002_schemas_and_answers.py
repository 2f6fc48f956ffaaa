"""Schemas become rows of their own, and an attempt's requests too."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import conversations.fields
from conversations.exact_json import dumps

def keep_schemas(apps: Any, editor: Any) -> None:
    """Give each extraction's schema a row, one for all extractions of a user that have the same."""
    versions = apps.get_model("extraction", "SchemaVersion")
    for extraction in apps.get_model("extraction", "Extraction").objects.iterator():
        digest = hashlib.sha256(dumps([extraction.inline, "", []], separators=(",", ":")).encode()).hexdigest()
        version, _ = versions.objects.get_or_create(
            owner_id=extraction.owner_id, name=None, digest=digest, defaults={"json_schema": extraction.inline}
        )
        type(extraction).objects.filter(pk=extraction.pk).update(schema=version)


def keep_answers(apps: Any, editor: Any) -> None:
    """Give each attempt's request a row."""
    answers = apps.get_model("extraction", "Answer")
    answers.objects.bulk_create(
        answers(
            attempt=each,
            number=each.number,
            native=each.native,
            content=each.content,
            stop_reason=each.stop_reason,
            whole=each.stop_reason is not None,
            usage=each.usage,
        )
        for each in apps.get_model("extraction", "Attempt").objects.iterator()
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("extraction", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SchemaVersion",
            fields=[
                ("id", models.UUIDField(default=conversations.fields.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("digest", models.CharField(help_text="SHA-256 of what it asks for.", max_length=64)),
                ("json_schema", conversations.fields.ExactJSONField()),
                ("instructions", models.TextField(blank=True, default="", help_text="What Claude is told besides the schema.")),
                ("examples", conversations.fields.ExactJSONField(default=list, help_text="Content, and the data that is right for it.")),
                ("native", models.BooleanField(default=False, help_text="Whether structured outputs can express it in one request.")),
                ("notes", conversations.fields.VerbatimJSONField(default=list, help_text="What structured outputs cannot enforce, and we check.")),
                ("refused_by", conversations.fields.VerbatimJSONField(default=list, help_text="The models that refused to be held to it.")),
                ("hidden", models.BooleanField(default=False, help_text="Whether lists leave it out.")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("owner", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="schema_versions", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "schema",
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(models.F("owner"), models.F("name"), models.F("version"), name="schema_versions_are_numbered"),
                    models.UniqueConstraint(models.F("owner"), models.F("digest"), condition=models.Q(("name__isnull", True)), name="nameless_schema_once"),
                ],
            },
        ),
        migrations.RenameField("Extraction", "schema", "inline"),
        migrations.AddField(
            "Extraction",
            "schema",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.RESTRICT, related_name="extractions", to="extraction.schemaversion"),
        ),
        migrations.RunPython(keep_schemas, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            "Extraction",
            "schema",
            models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name="extractions", to="extraction.schemaversion"),
        ),
        migrations.RemoveField("Extraction", "inline"),
        migrations.AddField("Extraction", "wants_evidence", models.BooleanField(default=True, help_text="Whether Claude is asked what each value rests on.")),
        migrations.AddField("Extraction", "metadata", conversations.fields.ExactJSONField(default=dict)),
        migrations.AddField(
            "Extraction",
            "mode",
            models.CharField(
                choices=[("live", "Live"), ("batch", "Batch")], default="live", help_text="Batch: its requests are sent in Message Batches.", max_length=10
            ),
        ),
        migrations.AddField(
            "Extraction",
            "resumes",
            models.BooleanField(default=False, help_text="Whether it goes on at another process when its own is lost, instead of failing."),
        ),
        migrations.AddField("Extraction", "position", models.BigIntegerField(default=0, help_text="How long the committed transcript is.")),
        migrations.AddField("Extraction", "evidence", conversations.fields.ExactJSONField(default=list, help_text="Where in the sources each value stands.")),
        migrations.AlterField("Extraction", "max_tokens", models.PositiveIntegerField(help_text="Of each answer; null: as schema and model have it.", null=True)),
        migrations.AddIndex("Extraction", models.Index(fields=["owner", "status", "-id"], name="extraction_by_status")),
        migrations.CreateModel(
            name="Answer",
            fields=[
                ("id", models.UUIDField(default=conversations.fields.uuid7, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField(help_text="Of the requests of the whole extraction, from 1.")),
                ("part", models.PositiveIntegerField(default=0, help_text="Which part of the content it was asked about, from 0.")),
                ("group", models.PositiveIntegerField(default=0, help_text="Which fields of the schema it was asked for, from 0.")),
                ("turn", models.PositiveIntegerField(default=0, help_text="How often Claude was asked to go on before it, from 0.")),
                ("native", models.BooleanField(help_text="Whether Claude was held to the schema, or only asked to keep to it.")),
                ("content", conversations.fields.VerbatimJSONField(default=list)),
                ("stop_reason", models.CharField(max_length=100, null=True)),
                ("whole", models.BooleanField(default=False, help_text="Whether Claude's last word came.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("attempt", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="answers", to="extraction.attempt")),
                ("usage", models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="answer", to="conversations.usage")),
            ],
            options={
                "ordering": ("number",),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("attempt"), models.F("part"), models.F("group"), models.F("turn"), name="each_answer_once"
                    ),
                ],
            },
        ),
        migrations.RunPython(keep_answers, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveField("Attempt", "native"),
        migrations.RemoveField("Attempt", "content"),
        migrations.RemoveField("Attempt", "stop_reason"),
        migrations.RemoveField("Attempt", "usage"),
        migrations.CreateModel(
            name="SourceText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField(help_text="Of the content block.")),
                ("kind", models.CharField(max_length=10)),
                ("text", models.TextField(null=True)),
                ("pages", conversations.fields.VerbatimJSONField(default=list, help_text="The offset at which each page begins.")),
                ("title", models.TextField(null=True)),
                ("extraction", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="source_texts", to="extraction.extraction")),
            ],
            options={
                "ordering": ("index",),
                "constraints": [models.UniqueConstraint(models.F("extraction"), models.F("index"), name="source_text_once")],
            },
        ),
        migrations.CreateModel(
            name="ExtractionPiece",
            fields=[
                ("pk", models.CompositePrimaryKey("extraction_id", "start", blank=True, editable=False, primary_key=True, serialize=False)),
                ("start", models.BigIntegerField()),
                ("end", models.BigIntegerField()),
                ("events", conversations.fields.ExactJSONField()),
                (
                    "previous",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.NullIf("start", 0),
                        output_field=models.BigIntegerField(null=True),
                    ),
                ),
                ("extraction", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="pieces", to="extraction.extraction")),
            ],
            options={
                "db_table": "extraction_journal",
                "constraints": [
                    models.UniqueConstraint(models.F("extraction"), models.F("end"), name="extraction_piece_ends_once"),
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start")), ("start__gte", 0)), name="extraction_piece_goes_forward"
                    ),
                ],
            },
        ),
    ]
