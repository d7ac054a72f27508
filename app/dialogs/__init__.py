"""Windows beside the main one: preferences, about, help, the command palette."""
