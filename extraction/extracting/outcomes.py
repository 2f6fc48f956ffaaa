"""Combining the judged answers of an attempt: data, evidence and problems."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from conversations.contract.extraction_types import Evidence as EvidenceShown
from conversations.contract.extraction_types import Problem
from conversations.json_types import JSON, JSONObject
from extraction import checks, reading
from extraction.documents.merging import Found, overlaps
from extraction.evidence.finding import Evidence
from extraction.extracting.content import Content
from extraction.extracting.plan import Thread
from extraction.models import Extraction
from extraction.services.extractions import Outcome


async def whole_outcome(extraction: Extraction, content: Content, judged: Mapping[Thread, checks.Judgement]) -> Outcome:
    """Return the outcome of an extraction with these answers, one for each part and group of fields."""
    parts = [_of_part(judged, part) for part in range(len(content.parts))]
    evidence = await asyncio.gather(*(_evidence(extraction, content, number) for number in enumerate(parts)))
    conflicts: list[Problem] = []
    data, places = parts[0].data, evidence[0]
    if len(parts) > 1:
        data, conflicts, places = await _merged(extraction, content, parts, evidence)
    problems = parts[0].problems
    if len(judged) > 1:
        problems = await checks.problems(extraction.owner_id, extraction.schema.json_schema, data)
    status = Extraction.Status.INVALID if problems else Extraction.Status.SUCCEEDED
    return Outcome(status, data, [*problems, *conflicts], [_shown(each) for each in places])


def _of_part(judged: Mapping[Thread, checks.Judgement], part: int) -> checks.Judgement:
    """Return the result of the answers about one part: the fields of all groups together."""
    found = [judgement for (number, _), judgement in sorted(judged.items()) if number == part]
    if len(found) == 1:
        return found[0]
    fields: JSONObject = {}
    for each in found:
        fields.update(each.data if isinstance(each.data, dict) else {})
    claims = [claim for each in found for claim in each.claims]
    return checks.Judgement(fields, [problem for each in found for problem in each.problems], claims)


async def _evidence(extraction: Extraction, content: Content, numbered: tuple[int, checks.Judgement]) -> list[Evidence]:
    """Return the evidence of one part's values."""
    number, judgement = numbered
    if not judgement.claims:
        return []
    part = content.parts[number] if len(content.parts) > 1 else None
    return await reading.located(extraction.owner_id, content.sources, judgement.claims, part)


async def _merged(
    extraction: Extraction,
    content: Content,
    parts: Sequence[checks.Judgement],
    evidence: Sequence[Sequence[Evidence]],
) -> tuple[JSON, list[Problem], list[Evidence]]:
    """Return the merged data of all parts, the contradictions, and the places of the values."""
    found = [
        Found(judgement.data, _places(places), overlaps(part))
        for judgement, places, part in zip(parts, evidence, content.parts, strict=True)
    ]
    merged = await checks.merged(extraction.owner_id, found)
    kept: dict[str, Evidence] = {}
    for places, moved in zip(evidence, merged.moved, strict=True):
        for each in places:
            if (path := moved.get(each.path)) is not None:
                kept.setdefault(path, Evidence(**{**asdict(each), "path": path}))
    return merged.data, merged.problems, list(kept.values())


def _places(evidence: Sequence[Evidence]) -> dict[str, tuple[int, int]]:
    return {each.path: (each.source, each.start) for each in evidence if each.start is not None}


def _shown(evidence: Evidence) -> EvidenceShown:
    """Return evidence in the contract's form: without a page if there are none."""
    shown: EvidenceShown = {
        "path": evidence.path,
        "quote": evidence.quote,
        "source": evidence.source,
        "status": evidence.status,
        "start": evidence.start,
        "end": evidence.end,
    }
    return shown if evidence.page is None else {**shown, "page": evidence.page}
