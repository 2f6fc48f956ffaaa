"""The shapes of what the platform takes, sends and works with, as types: content blocks, settings, events, errors.

The OpenAPI document (HTTP) and the AsyncAPI document (WebSocket) are both made from these definitions. They tell each
kind of block and event apart; `wire` and `transcript_events` have those of all kinds in one type, as code works with
them. Pure: nothing of the project is imported here but JSON's types.
"""
