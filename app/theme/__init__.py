"""Two hand-checked themes. The only package that knows colours and calls ``setStyleSheet``."""

from app.theme.current import apply, as_title, current, switch, tabular
from app.theme.tokens import DARK, LIGHT, THEMES, Theme

__all__ = ["DARK", "LIGHT", "THEMES", "Theme", "apply", "as_title", "current", "switch", "tabular"]
