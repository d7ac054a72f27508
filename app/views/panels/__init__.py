"""Side panels: the settings beside a page."""
