"""The engine of BrainLM Studio: reads scans, runs models, trains them. Knows nothing of windows."""

__version__ = "0.1.0"
