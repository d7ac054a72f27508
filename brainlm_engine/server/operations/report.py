"""Report cards of models."""

from __future__ import annotations

from brainlm_engine.api.report_card import ReportCard
from brainlm_engine.server.warm import Warm


def report_card(warm: Warm, model_id: str) -> ReportCard:
    """Return what is known of a model, with all evaluations that are kept."""
    from brainlm_engine.models.registry import find_model
    from brainlm_engine.report.cards import report_card as known

    return known(find_model(model_id))
