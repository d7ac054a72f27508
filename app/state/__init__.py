"""What the program knows, without Qt: pydantic models that tell (psygnal) when a field changes."""

from app.state.app_state import AppState

__all__ = ["AppState"]
