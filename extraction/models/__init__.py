"""Schemas, extractions, and what Claude answered for them."""

from extraction.models.attempt import Answer, Attempt
from extraction.models.extraction import Extraction, ExtractionPiece, LostExtraction, Source, SourceText
from extraction.models.schema import SchemaVersion

__all__ = [
    "Answer",
    "Attempt",
    "Extraction",
    "ExtractionPiece",
    "LostExtraction",
    "SchemaVersion",
    "Source",
    "SourceText",
]
