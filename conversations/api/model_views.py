"""The models that a conversation may name: what they take, and what they cost today."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import clock
from conversations.api.queries import PageQuery, Queried
from conversations.api.schema.components import Shape
from conversations.api.whole_lists import WholeList, page_of
from conversations.claude import catalogue
from conversations.claude.catalogue import Model
from conversations.claude.pricing import TokenCounts, decimal_string
from conversations.contract.model_types import ModelPage
from conversations.services.billing.price_list import PriceList


class Models(Queried):
    """The models in the catalogue. Conversations may also use other models, such as those of a local server."""

    queries = {"get": PageQuery}

    @extend_schema(
        operation_id="listModels",
        summary="List models",
        description="Returns the models in the catalogue. Conversations may also use other models, such as those of "
        "a local server.",
        responses={200: Shape(ModelPage)},
    )
    def get(self, request: Request) -> Response:
        """Answer with a page of the models that are known."""
        prices = PriceList.at(clock.now())
        rows = (([number], _shown(each, prices)) for number, each in enumerate(catalogue.all_models()))
        return Response(page_of(WholeList.of("models", rows), request))


def _shown(model: Model, prices: PriceList) -> dict[str, object]:
    price = prices.price(model.id, TokenCounts())
    return {
        "id": model.id,
        "name": model.name,
        "aliases": model.aliases,
        "limits": {
            "context_window": model.context_window,
            "max_output_tokens": model.max_output,
            "cache_minimum_tokens": model.cache_minimum,
        },
        "capabilities": {
            "temperature": model.sampling,
            "thinking": model.thinking_types,
            "thinking_default": model.thinking_default,
            "effort": model.efforts,
            "effort_default": model.default_effort,
            "prefill": model.prefill,
            "forced_tool_choice": model.forced_tool_choice,
            "structured_outputs": model.structured_outputs,
            "high_resolution_images": model.high_resolution,
        },
        "prices": {name: decimal_string(value) for name, value in price.rates.per_class.items()} if price else None,
        "lifecycle": {"status": model.lifecycle, "retires_at": model.retires_at},
    }
