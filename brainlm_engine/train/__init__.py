"""Training: one step, one loop, checkpoints. Importing this package imports torch."""

from brainlm_engine.train.launch import pretrain
from brainlm_engine.train.loop import PretrainResult
from brainlm_engine.train.settings import TrainSettings, settings_from

__all__ = ["PretrainResult", "TrainSettings", "pretrain", "settings_from"]
