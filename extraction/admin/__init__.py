"""The admin's pages of extraction, where Django looks for them."""

from extraction.admin import batch_admin, evaluation_admin, extraction_admin

__all__ = ["batch_admin", "evaluation_admin", "extraction_admin"]
