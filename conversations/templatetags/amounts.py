"""Template filters for amounts."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.claude.pricing import decimal_string

register = template.Library()


@register.filter
def money(amount: Decimal) -> SafeString:
    """Return an amount of US dollars as HTML, with all digits in the title and for scripts."""
    exact = decimal_string(amount)
    return format_html('<span title="{} USD" data-cost="{}">{}</span>', exact, exact, usd(amount))


def usd(amount: Decimal) -> str:
    """Return US dollars with cents, and with more digits if it is less than a dollar."""
    digits = 2 if abs(amount) >= 1 or not amount else 6
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{digits}f}"


@register.filter
def signed_money(amount: Decimal) -> SafeString:
    """Return a difference of US dollars as HTML, with its sign."""
    return format_html("{}{}", "+" if amount > 0 else "", money(amount))


@register.simple_tag
def change(now: float | Decimal | None, before: float | Decimal | None) -> str:
    """Return the change of a number in percent of another one; empty if it can't be computed."""
    if now == before:
        return "no change"
    if now is None or not before:
        return ""
    return f"{100 * (float(now) - float(before)) / abs(float(before)):+,.0f} %"


@register.filter
def percent(share: float | None) -> str:
    """Return a share of 0 to 1 as a percentage; an empty string for None."""
    return "-" if share is None else f"{100 * share:.1f} %"


@register.filter
def share_of(part: int, whole: int) -> float | None:
    """Return one number as a share of another."""
    return part / whole if whole else None


@register.filter
def attribute(value: object, name: str) -> object:
    """Return an attribute by its name."""
    return getattr(value, name)
