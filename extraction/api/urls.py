"""The paths under `/api/extraction/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from extraction.api.batch_views import BatchViewSet
from extraction.api.evaluation_views import EvaluationViewSet
from extraction.api.schemas import SchemaViewSet
from extraction.api.views import ExtractionViewSet

router = SimpleRouter()
router.register("schemas", SchemaViewSet, basename="schema")
router.register("extractions", ExtractionViewSet, basename="extraction")
router.register("batches", BatchViewSet, basename="batch")
router.register("evaluations", EvaluationViewSet, basename="evaluation")
urlpatterns = router.urls
