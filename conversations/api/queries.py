"""Declarations of operations' query parameters and bodies; everything undeclared is refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any, ClassVar

from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView
from typing_extensions import Unpack

from conversations.api.parsers import StrictJSONParser
from conversations.api.serializer_fields import FieldOptions, NoFields, StrictSerializer, Values, check_given_once
from conversations.models import Usage
from conversations.models.conversation import TAG_LENGTH

PAGE_SIZE, PAGE_SIZE_LIMIT = 50, 200
WORDS_LIMIT = 500  # characters to search for
CURSOR_LIMIT = 4096  # characters
FORMATS = ("events", "tokens")
DOCUMENT_FORMATS = ("json", "yaml")
ORDERINGS = ("updated_at", "created_at", "title")
GROUPS = ("day", "model", "conversation", "tag")
METADATA = "metadata."


class Flag(serializers.BooleanField):
    """`true` or `false`; 1 and 0 mean the same."""

    WORDS: ClassVar[dict[str, bool]] = {"true": True, "1": True, "false": False, "0": False}

    def to_internal_value(self, data: object) -> bool:
        """Return the boolean. Raises ValidationError for any other word."""
        word = str(data).lower()
        if word not in self.WORDS:
            raise serializers.ValidationError("Must be true or false.")
        return self.WORDS[word]


class Digits(serializers.IntegerField):
    """An integer in digits; DRF's own field would also take " 7" and "7.0"."""

    def to_internal_value(self, data: object) -> int:
        """Return the integer. Raises ValidationError for anything but at most 18 ASCII digits."""
        digits = str(data)
        if not re.fullmatch(r"-?[0-9]{1,18}", digits):
            raise serializers.ValidationError("Must be an integer.")
        return int(digits)


@extend_schema_field({"type": "string"})
class Moment(serializers.Field[datetime, str, str, object]):
    """A time, or a day (UTC), which stands for its beginning; with `end` for the beginning of the next one."""

    def __init__(self, *, end: bool = False, **options: Unpack[FieldOptions]) -> None:
        self.end = end
        super().__init__(**options)

    def to_internal_value(self, data: str) -> datetime:
        """Return the time in UTC. Raises ValidationError for what is no time, or beyond the calendar."""
        try:
            day = parse_date(data)
            moment = datetime.combine(day, time(), UTC) if day else parse_datetime(data)
            if moment is None:
                raise ValueError
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC) + timedelta(days=1 if day and self.end else 0)
        except ValueError:
            raise serializers.ValidationError(
                "Must be a date or a time (ISO 8601), such as 2026-11-28 or 2026-11-28T12:00:00Z."
            ) from None
        except OverflowError:
            raise serializers.ValidationError("Must be within the years 1 to 9999.") from None


@extend_schema_field({"type": "string"})
class Words(serializers.Field[list[str], str, list[str], object]):
    """Words of a list, separated by commas, each once."""

    def __init__(self, known: tuple[str, ...], **options: Unpack[FieldOptions]) -> None:
        self.known = known
        super().__init__(**options)

    def to_internal_value(self, data: str) -> list[str]:
        """Return the words in their order. Raises ValidationError for an unknown one."""
        words = list(dict.fromkeys(filter(None, data.split(","))))
        if not set(words) <= set(self.known):
            raise serializers.ValidationError(f"Must be any of {', '.join(self.known)}, separated by commas.")
        return words


class Query(StrictSerializer):
    """The query parameters of an operation without any, and the base class of all others."""

    @classmethod
    def read(cls, given: QueryDict) -> dict[str, Any]:
        """Return the values of the declared parameters. An empty one counts as not given.

        Raises ValidationError for unknown ones, for one that is given twice, and for values that are not taken.
        """
        if not given:
            return cls._defaults().copy()
        check_given_once(given)
        known = cls._shared().fields
        return cls.checked_values({name: value for name, value in given.items() if value or name not in known})

    @classmethod
    @cache
    def _defaults(cls) -> Values:
        """Return the values if no parameter is given, as in most requests; computed once."""
        return cls.checked_values({})


class PageQuery(Query):
    cursor = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=CURSOR_LIMIT,
        help_text="The cursor of a page, taken from `next` or `previous`.",
    )
    page_size = Digits(required=False, min_value=1, max_value=PAGE_SIZE_LIMIT, default=PAGE_SIZE)


class ConversationsQuery(PageQuery):
    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=WORDS_LIMIT,
        help_text="Search terms: words, prefixes of words, and quoted phrases, which all have to occur in the title "
        "or in the same message. In Chinese, Japanese, Korean, Thai and other scripts without spaces, any part of "
        "the text.",
    )
    archived = Flag(required=False)
    shared = Flag(
        required=False,
        default=False,
        help_text="Return conversations that others share with the user, instead of the user's own.",
    )
    tag = serializers.CharField(
        required=False, allow_blank=True, max_length=TAG_LENGTH, help_text="Return only conversations with this tag."
    )
    ordering = serializers.ChoiceField(
        [sign + name for name in ORDERINGS for sign in ("", "-")],
        required=False,
        help_text="The sort order; by default `-updated_at`, and with `q` the best match first. A minus sign "
        "reverses the order. Conversations that change between the requests for two pages move to their new "
        "positions in the list, unless it is ordered by `created_at`.",
    )

    @classmethod
    def read(cls, given: QueryDict) -> dict[str, Any]:
        """Read the parameters; several `metadata.<key>=<value>` become one dict `metadata`."""
        of_metadata, others = QueryDict(mutable=True), QueryDict(mutable=True)
        for name, values in given.lists():
            (of_metadata if name.startswith(METADATA) else others).setlist(name, values)
        query = super().read(others)
        if of_metadata:
            query["metadata"] = {name.removeprefix(METADATA): value for name, value in cls._values(of_metadata)}
        return query

    @staticmethod
    def _values(given: QueryDict) -> Iterator[tuple[str, str]]:
        """Yield the parameters, each once, as text that Postgres can store. Raise ValidationError."""
        for name, values in given.lists():
            if len(values) > 1 or "\0" in name or len(name) > WORDS_LIMIT or name == METADATA:
                raise serializers.ValidationError({name[:WORDS_LIMIT]: "Must be a key of metadata, given once."})
            try:
                yield name, serializers.CharField(max_length=WORDS_LIMIT, allow_blank=True).run_validation(values[0])
            except serializers.ValidationError as error:
                raise serializers.ValidationError({name: error.detail}) from None


class LeafQuery(Query):
    leaf = serializers.UUIDField(
        required=False, help_text="The id of the branch's last message; by default the active leaf."
    )


class PathQuery(LeafQuery, PageQuery):
    last = Flag(
        required=False,
        default=False,
        help_text="Return the last page of the path, with earlier messages at `previous`. Not together with `cursor`.",
    )


class StreamQuery(Query):
    format = serializers.ChoiceField(
        FORMATS,
        required=False,
        help_text="Return an event stream: `events` like `Accept: text/event-stream`, `tokens` with text only.",
    )


class WaitQuery(Query):
    wait = Flag(
        required=False,
        default=False,
        help_text="Respond only when the turn has ended, or waits for the client's tool results.",
    )


class BeginQuery(StreamQuery, WaitQuery):
    pass


class EventsQuery(StreamQuery):
    after = Digits(required=False, min_value=0, help_text="A position: the stream continues after it. By default 0.")


class PeriodQuery(Query):
    to = Moment(
        end=True,
        required=False,
        help_text="The end: a date, which is included, or a time, which is not. By default now.",
    )

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is a keyword of Python."""
        return {"from": Moment(required=False, help_text="The start: a date or a time (UTC)."), **super().get_fields()}


class SumsQuery(PeriodQuery, PageQuery):
    group_by = Words(GROUPS, required=False, help_text=f"One or more of {', '.join(GROUPS)}, separated by commas.")


class RecordsQuery(PeriodQuery, PageQuery):
    conversation = serializers.UUIDField(required=False)
    turn = serializers.UUIDField(required=False)
    model = serializers.CharField(required=False, allow_blank=True, max_length=200)
    purpose = serializers.ChoiceField(Usage.Purpose.choices, required=False)
    source = serializers.ChoiceField(Usage.Source.choices, required=False)  # type: ignore[assignment]


class DocumentQuery(Query):
    format = serializers.ChoiceField(DOCUMENT_FORMATS, required=False, help_text="Default: as `Accept` says, or YAML.")


CARRYING = frozenset({"POST", "PUT", "PATCH"})
"""The methods whose body has a meaning. The body of any other is ignored (RFC 9110, 9.3)."""


class Queried(APIView):
    """A view that refuses query parameters and bodies which it does not declare.

    Operations have the names of the viewset's actions, or of the methods of a plain view.
    """

    queries: ClassVar[Mapping[str, type[Query]]] = {}
    """The query parameters of the operations; operations that are not named accept none."""
    with_body: ClassVar[Collection[str]] = ()
    """The operations that read a body, and refuse by themselves what they do not know of it."""

    def query_class(self, method: str) -> type[Query]:
        """Return the declaration for the present action, or for a method."""
        return self.queries.get(self._operation(method), Query)

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Read the query, and refuse an unexpected body, after authentication.

        Raise ValidationError; ParseError or UnsupportedMediaType for a body that can't be read. An unsupported method
        gets 405, whatever its query and its body.
        """
        super().initial(request, *args, **kwargs)
        method = str(request.method)
        if not hasattr(self, method.lower()):
            return
        request.query = self.query_class(method).read(request.query_params)  # type: ignore[attr-defined]
        if method in CARRYING and self._operation(method) not in self.with_body and _has_body(request):
            request.parsers = [StrictJSONParser()]
            NoFields.checked_values(request.data)

    def _operation(self, method: str) -> str:
        """Return the name of the present action, or of a method; HEAD counts as GET."""
        name = method.lower()
        return getattr(self, "action", None) or ("get" if name == "head" else name)


def _has_body(request: Request) -> bool:
    """Return whether a request has a body. One without a length has got one by now (config/bodies.py)."""
    return request._request.META.get("CONTENT_LENGTH") not in (None, "", "0")


def query_of(request: Request) -> dict[str, Any]:
    """Return the query parameters of a request to a `Queried` view, by their names."""
    query: dict[str, Any] = request.query  # type: ignore[attr-defined]
    return query
