"""The API of an extraction's sources: what there is, its text, and the pages of PDFs with the places of quotes."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request

from conversations.api.later import Later, Stream
from conversations.api.turn_views import Negotiation
from conversations.contract.extraction_types import Evidence
from conversations.database import persistently
from conversations.errors import NotFound, UnsupportedMediaType
from conversations.models import Attachment
from extraction import reading
from extraction.documents.sources import Source
from extraction.evidence.on_pages import quotes_on_page
from extraction.extracting.content import sources_of
from extraction.models import Extraction

NO_SUCH_SOURCE = "There is no such source."
NO_SUCH_PAGE = "There is no such page: the source is no uploaded PDF, or has fewer pages."
INDEX = OpenApiParameter("index", {"type": "integer", "minimum": 0}, OpenApiParameter.PATH)
PAGE = OpenApiParameter("number", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH)
PAGE_PATH = r"sources/(?P<index>[0-9]{1,9})/pages/(?P<number>[0-9]{1,9})"
PNG = "image/png"
PNG_HEADERS = {"content-type": PNG, "cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}


class PageSerializer(serializers.Serializer[object]):
    """A page of a source's text."""

    page = serializers.IntegerField(help_text="Numbered from 1.")
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class SourceTextSerializer(serializers.Serializer[object]):
    """The text of a content block. Offsets of evidence count its code points."""

    shows_every_field = True

    index = serializers.IntegerField()
    text = serializers.CharField(trim_whitespace=False)
    pages = serializers.SerializerMethodField(
        help_text="The pages' positions in the text; empty if the format has no pages."
    )

    @extend_schema_field(PageSerializer(many=True))
    def get_pages(self, source: Source) -> list[dict[str, int]]:
        """Return the pages, each from its first code point to the next page's."""
        ends = [*source.pages[1:], len(source.text or "")]
        pairs = zip(source.pages, ends, strict=False)
        return [{"page": number, "start": start, "end": end} for number, (start, end) in enumerate(pairs, 1)]


@extend_schema_serializer(component_name="ExtractedSource")
class SourceSerializer(serializers.Serializer[object]):
    """A content block from which data was extracted."""

    shows_every_field = True

    index = serializers.IntegerField()
    kind = serializers.ChoiceField(["text", "document", "pdf", "image", "url"])
    title = serializers.CharField(allow_null=True)
    attachment = serializers.UUIDField(
        allow_null=True, help_text="The id of the attachment; null if the source is not a file."
    )
    media_type = serializers.CharField(
        allow_null=True, help_text="The id of the attachment; null if the source is not a file."
    )
    has_text = serializers.BooleanField(help_text="Whether the text is available.")
    pages = serializers.IntegerField(help_text="The number of pages; 0 if the format has no pages.")


class SourcesSerializer(serializers.Serializer[object]):
    """All sources of an extraction, in their order."""

    shows_every_field = True

    results = SourceSerializer(many=True)


class QuotePlaceSerializer(serializers.Serializer[object]):
    """The position of a value's quote on a page."""

    shows_every_field = True

    path = serializers.CharField(help_text="A JSON Pointer to the value.")
    boxes = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4),
        help_text="A rectangle for each line of text: left, top, width and height, as fractions of the page's size.",
    )


class SourcePageSerializer(serializers.Serializer[object]):
    """A page of a PDF, with the positions of quotes."""

    shows_every_field = True

    page = serializers.IntegerField(help_text="Numbered from 1.")
    width = serializers.FloatField(help_text="In points.")
    height = serializers.FloatField(help_text="In points.")
    quotes = QuotePlaceSerializer(many=True)


def _shown(extraction: Extraction, source: Source) -> dict[str, object]:
    block = extraction.content[source.index]
    of_block = block.get("source")
    file = of_block if isinstance(of_block, dict) and "attachment" in of_block else {}
    return {
        "index": source.index,
        "kind": source.kind,
        "title": source.title,
        "attachment": file.get("attachment"),
        "media_type": file.get("media_type"),
        "has_text": source.text is not None,
        "pages": len(source.pages),
    }


async def _source(extraction: Extraction, index: int) -> Source:
    """Return a source of an extraction. Raises NotFound."""
    found = next((each for each in await sources_of(extraction) if each.index == index), None)
    if found is None:
        raise NotFound(NO_SUCH_SOURCE)
    return found


async def _pdf_page(extraction: Extraction, index: int, number: int) -> tuple[Source, str]:
    """Return a source with such a page, and the path of its file in the storage. Raise NotFound."""
    source = await _source(extraction, index)
    file = _shown(extraction, source)["attachment"]
    if source.kind != "pdf" or file is None or not 1 <= number <= len(source.pages):
        raise NotFound(NO_SUCH_PAGE)
    attachment = await persistently(Attachment.objects.get, pk=file)
    return source, attachment.path


def _evidence_on(extraction: Extraction, index: int, number: int) -> list[Evidence]:
    """Return the located evidence on a page."""
    return [
        each
        for each in extraction.evidence
        if each.get("source") == index and each.get("page") == number and each.get("start") is not None
    ]


class SourceActions(viewsets.GenericViewSet[Extraction]):
    """What an extraction was made from."""

    @extend_schema(
        operation_id="listExtractionSources",
        summary="List an extraction's sources",
        description="Returns the content blocks from which the data was extracted, in their order.",
        responses={200: SourcesSerializer},
    )
    @action(detail=True, pagination_class=None)
    def sources(self, request: Request, pk: str) -> Later:
        """Return all sources of the extraction."""
        extraction = Extraction.objects.get_visible(request.user, pk)

        async def then() -> dict[str, object]:
            return {"results": [_shown(extraction, each) for each in await sources_of(extraction)]}

        return Later(request, then)

    @extend_schema(
        operation_id="getExtractionSourceText",
        summary="Get the text of a source",
        description="Returns the text of a content block, given by its index from 0. Offsets of evidence count code "
        "points of this text.",
        parameters=[INDEX],
        responses={200: SourceTextSerializer},
    )
    @action(detail=True, url_path=r"sources/(?P<index>[0-9]{1,9})/text")
    def source_text(self, request: Request, pk: str, index: str) -> Later:
        """Return the text of a content block. Raises NotFound where there is none, or only Claude sees it."""
        extraction = Extraction.objects.get_visible(request.user, pk)

        async def then() -> dict[str, object]:
            source = await _source(extraction, int(index))
            if source.text is None:
                raise NotFound("There is no text of such a source.")
            return dict(SourceTextSerializer(source).data)

        return Later(request, then)

    @extend_schema(
        operation_id="getExtractionSourcePage",
        summary="Get a page of a PDF",
        description="Returns the size of a page of an uploaded PDF, and the positions of the quotes that support "
        "extracted values.",
        parameters=[INDEX, PAGE],
        responses={200: SourcePageSerializer},
    )
    @action(detail=True, url_path=PAGE_PATH)
    def source_page(self, request: Request, pk: str, index: str, number: str) -> Later:
        """Return the page's size and the places of quotes. Raises NotFound where there is no such page."""
        extraction = Extraction.objects.get_visible(request.user, pk)

        async def then() -> dict[str, object]:
            source, path = await _pdf_page(extraction, int(index), int(number))
            found = _evidence_on(extraction, source.index, int(number))
            quotes = quotes_on_page(source, int(number), found)
            places = await reading.places(extraction.owner_id, path, int(number), quotes)
            boxes = zip(found, places["boxes"], strict=True)
            return {
                "page": int(number),
                "width": places["width"],
                "height": places["height"],
                "quotes": [{"path": each["path"], "boxes": each_boxes} for each, each_boxes in boxes],
            }

        return Later(request, then)

    @extend_schema(
        operation_id="getExtractionSourcePageImage",
        summary="Get an image of a page of a PDF",
        description="Returns a page of an uploaded PDF, rendered as a PNG image.",
        parameters=[INDEX, PAGE],
        responses={(200, PNG): OpenApiTypes.BINARY},
    )
    @action(detail=True, url_path=f"{PAGE_PATH}/image", content_negotiation_class=Negotiation)
    def source_page_image(self, request: Request, pk: str, index: str, number: str) -> Later:
        """Return the page as a picture. Raises NotFound where there is no such page."""
        extraction = Extraction.objects.get_visible(request.user, pk)

        async def then() -> Stream:
            _, path = await _pdf_page(extraction, int(index), int(number))
            try:
                drawn = await reading.drawn(extraction.owner_id, path, int(number), ())
            except UnsupportedMediaType as error:
                raise NotFound(error.message) from None
            return Stream(_whole(drawn), PNG_HEADERS, last_words=lambda _: b"")

        return Later(request, then)


async def _whole(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
