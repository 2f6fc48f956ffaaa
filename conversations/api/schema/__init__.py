"""The API's descriptions: the OpenAPI document of the HTTP API and the AsyncAPI document of the WebSocket."""
