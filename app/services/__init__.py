"""What talks to the outside: the engine, files of the person's own settings, the clock. Nothing here knows a widget."""
