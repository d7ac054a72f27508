"""Two hand-checked themes. The only package that knows colours and calls ``setStyleSheet``."""
