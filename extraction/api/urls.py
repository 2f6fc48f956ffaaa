"""The paths under `/api/extraction/`."""

from __future__ import annotations

from conversations.api.answers import AwaitingRouter
from extraction.api.views import ExtractionViewSet

router = AwaitingRouter()
router.register("extractions", ExtractionViewSet, basename="extraction")
urlpatterns = router.urls
