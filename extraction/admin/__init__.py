"""The admin's pages of extraction; Django looks for them here."""

from extraction.admin import batch_admin, evaluation_admin, extraction_admin

__all__ = ["batch_admin", "evaluation_admin", "extraction_admin"]
