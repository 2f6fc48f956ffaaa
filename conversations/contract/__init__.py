"""The shapes of what the platform takes and sends, as types: content blocks, settings, events, errors.

The OpenAPI document (HTTP) and the AsyncAPI document (WebSocket) are both made from these definitions. Pure: nothing of
the project is imported here.
"""
