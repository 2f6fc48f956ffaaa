"""Amounts as people read them."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.claude.pricing import decimal_string

register = template.Library()


@register.filter
def money(amount: Decimal) -> SafeString:
    """US dollars: cents, and more of what is less than a dollar. All of it is in the title and for scripts."""
    digits = 2 if abs(amount) >= 1 or not amount else 6
    exact = decimal_string(amount)
    return format_html('<span title="{} USD" data-cost="{}">${}</span>', exact, exact, f"{amount:,.{digits}f}")


@register.filter
def percent(share: float | None) -> str:
    """A share of 0 to 1; nothing where there is nothing to have a share of."""
    return "-" if share is None else f"{100 * share:.1f} %"


@register.filter
def share_of(part: int, whole: int) -> float | None:
    """What share one number is of another."""
    return part / whole if whole else None


@register.filter
def attribute(value: object, name: str) -> object:
    """An attribute by its name."""
    return getattr(value, name)
