"""The tour: the real window does the main job on the demo case and leaves pictures and a report."""

from app.tour.scenario import run

__all__ = ["run"]
