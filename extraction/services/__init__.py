"""Every write of the app, each in one durable transaction of its own or within the caller's."""

# Whichever service ends an extraction, the item that it belongs to hears of it.
from extraction.services import batch_items as batch_items
