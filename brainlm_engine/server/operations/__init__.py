"""What the interactive worker can be asked for, one file per subject.

Each function takes what is held warm and the request's values, and returns a message or a
:class:`brainlm_engine.api.messages.Reply`.
"""
