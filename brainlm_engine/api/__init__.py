"""The only door between the app and the engine: messages, errors, and the client."""
