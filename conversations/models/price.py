"""The platform's own prices."""

from __future__ import annotations

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models

from conversations.fields import uuid7


def dollars(name: str | None = None, **options: Any) -> models.DecimalField[Any, Any]:
    """Return a column of US dollars with four decimals; times tokens and factors they give the ledger's twelve."""
    return models.DecimalField(name, max_digits=9, decimal_places=4, validators=[MinValueValidator(0)], **options)


class Price(models.Model):
    """The platform's own price for some models, which overrides the list's: by a contract, or for unlisted models.

    Of several matching prices, an exact id comes before a pattern, prices of fast requests before standard ones, the
    highest band before lower ones, and then the newest. A price that was used stays unchanged; a newer one replaces it.
    """

    class Speed(models.TextChoices):
        STANDARD = "standard"
        FAST = "fast"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    model = models.CharField(
        max_length=200, help_text="A model's id, or a pattern in which * stands for any characters and ? for one."
    )
    speed = models.CharField(
        max_length=8,
        choices=Speed,
        default=Speed.STANDARD,
        help_text="Which requests it is for. Fast ones without a price of their own cost twice the standard.",
    )
    above_tokens = models.PositiveBigIntegerField(
        "above",
        default=0,
        help_text="Only for requests whose prompt, cached parts included, has more tokens than this.",
    )
    valid_from = models.DateField(help_text="It holds from the beginning of this day (UTC).")
    input = dollars(help_text="US dollars per million tokens, like the other prices. Batches and regions multiply it.")
    output = dollars()
    cache_read = dollars(null=True, blank=True, help_text="Empty: the price of input.")
    cache_write_5m = dollars("cache write 5 min", null=True, blank=True, help_text="Empty: the price of input.")
    cache_write_1h = dollars("cache write 1 h", null=True, blank=True, help_text="Empty: the price for 5 minutes.")
    web_search = dollars(default=10, help_text="US dollars per thousand searches.")
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("model", "speed", "above_tokens", "-valid_from", "-id")

    def __str__(self) -> str:
        band = f" above {self.above_tokens} tokens" if self.above_tokens else ""
        return f"{self.model}, {self.speed}{band}, from {self.valid_from}"
