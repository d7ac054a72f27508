"""The tour: the real window does the main job on the demo case and leaves pictures and a report."""
