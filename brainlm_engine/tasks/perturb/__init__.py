"""Perturbations: set regions of a recording and see what a model then expects of the others."""

from brainlm_engine.tasks.perturb.effective import Effective, effective_connectivity
from brainlm_engine.tasks.perturb.intervene import Intervention, intervene
from brainlm_engine.tasks.perturb.preview import Preview
from brainlm_engine.tasks.perturb.steer import Steering, steer

__all__ = ["Effective", "Intervention", "Preview", "Steering", "effective_connectivity", "intervene", "steer"]
