"""How the API describes itself: the OpenAPI document of the HTTP API and the AsyncAPI document of the WebSocket."""
