"""The database models of schemas, extractions, answers, batches, reviews and evaluations."""

from extraction.models.attempt import Answer, Attempt
from extraction.models.batch import Batch, BatchedRequest, Item, ItemSource, MessageBatch, UnwantedBatch
from extraction.models.evaluation import Evaluation, EvaluationItem, EvaluationRun
from extraction.models.extraction import Extraction, ExtractionPiece, LostExtraction, Source, SourceText
from extraction.models.review import Review
from extraction.models.schema import SchemaVersion

__all__ = [
    "Answer",
    "Attempt",
    "Batch",
    "BatchedRequest",
    "Evaluation",
    "EvaluationItem",
    "EvaluationRun",
    "Extraction",
    "ExtractionPiece",
    "Item",
    "ItemSource",
    "LostExtraction",
    "MessageBatch",
    "Review",
    "SchemaVersion",
    "Source",
    "SourceText",
    "UnwantedBatch",
]
