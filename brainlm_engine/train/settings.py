"""Everything that decides how a model is trained. Same settings and cohort, same weights."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from brainlm_engine.api.errors import BadInput

Share = Annotated[float, Field(gt=0, lt=1)]


class Cluster(BaseModel):
    """Where and with what a training runs that is launched elsewhere. Changes nothing about what is learned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partition: str = Field(default="", description="of SLURM; '' for its default")
    account: str = Field(default="", description="that SLURM charges; '' for the person's default")
    minutes: int = Field(default=24 * 60, ge=1, description="after which SLURM ends the job; it is then queued again")
    memory_gb: int | None = Field(default=None, ge=1, description="per computer, asked of SLURM")
    executor: Literal["slurm", "local"] = Field(
        default="slurm", description="of submitit; local: the same job as processes of this computer, to try it out"
    )
    address: str = Field(default="", description="of a Dask scheduler, or its scheduler file; '' starts one here")
    resources: dict[str, float] = Field(
        default_factory=dict, description="that the Dask task holds, as workers name them"
    )


class TrainSettings(BaseModel):
    """Settings of one pretraining.

    With ``steps`` the result is reproducible to the bit on one machine; with ``minutes`` the learning rate follows the
    clock, and the number of steps that fit is written into the card.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int | None = Field(default=None, ge=1, description="stop after so many steps")
    minutes: float | None = Field(default=None, gt=0, description="or after so many minutes of training")
    seed: int = Field(default=0, ge=0, lt=2**63)
    threads: int = Field(default=2, ge=1, le=1024)
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    precision: Literal["32", "bf16", "16"] = Field(
        default="32", description="of matrix products; weights stay float32 (16: float16, not on processors)"
    )
    compile: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="layers are compiled before the first step (auto: large models on graphics processors of NVIDIA)",
    )
    checkpointing: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="compute again what lies inside layers, to save memory (auto: when a single window does not fit)",
    )
    devices: int = Field(default=1, ge=1, description="processes on each computer, each with a device of its own")
    nodes: int = Field(default=1, ge=1, description="computers")
    strategy: Literal["auto", "ddp", "fsdp"] = Field(
        default="auto", description="of several processes: all weights in each (ddp, auto), or spread over them (fsdp)"
    )
    launch: Literal["here", "torchrun", "slurm", "dask"] = Field(default="here", description="who starts the processes")
    cluster: Cluster = Field(default=Cluster(), description="of launches elsewhere")
    batch: int = Field(default=8, ge=1, le=65_536, description="windows per step, of all processes together")
    accumulate: int = Field(default=1, ge=1, description="parts that a step's windows are run in, to save memory")
    window_frames: int = Field(default=200, ge=20)
    learning_rate: float = Field(default=2e-3, gt=0)
    beta2: float = Field(default=0.98, gt=0, lt=1, description="memory of AdamW for the gradient's size")
    weight_decay: float = Field(default=0.05, ge=0)
    warm_up: int = Field(default=50, ge=0, description="steps of rising learning rate")
    clip: float = Field(default=1.0, gt=0, description="largest norm of the gradient")
    ema: float = Field(default=0.998, ge=0, lt=1, description="decay of the averaged weights, which are the ones kept")
    queries: int = Field(default=128, ge=1, description="parcels decoded per step; the others cost nothing")
    masks: Literal["random", "parcels", "networks", "future", "last", "mixed", "mixed-networks"] = "mixed"
    mask_ratios: tuple[Share, ...] = Field(default=(), description="shares hidden, drawn anew every step")
    scaling: Literal["recording", "population"] = Field(
        default="recording", description="z-score per recording, or centred on itself and scaled as all training people"
    )
    variety: bool = Field(default=True, description="vary TR, window length, parcels and positions, if the model can")
    evaluate_every: int = Field(default=200, ge=1, description="steps between looks at validation people")
    checkpoint_every: int = Field(default=200, ge=1, description="steps between checkpoints")
    keep: Literal["best", "last"] = Field(default="best", description="whose weights become the model")
    patience: int | None = Field(default=None, ge=1, description="stop after so many looks without a better R2")
    tensorboard: bool = Field(default=False, description="write event files for TensorBoard too")
    start: str = Field(default="", description="model whose weights it begins from, name or folder; '' = fresh ones")
    architecture: str = "studio"
    model: dict[str, Any] = Field(default_factory=dict, description="sizes, as in config.json")

    def learning(self) -> dict[str, Any]:
        """Return all settings but those about where it runs, as plain values for a card or a checkpoint."""
        return self.model_dump(mode="json", exclude={"launch", "cluster"})

    @model_validator(mode="after")
    def _some_end(self) -> TrainSettings:
        if self.steps is None and self.minutes is None:
            raise ValueError("give steps or minutes")
        return self

    def share_done(self, step: int, seconds: float) -> float:
        """Return how much of the training is over, 0..1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_clock = seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_clock))


def settings_from(values: dict[str, Any]) -> TrainSettings:
    """Return checked settings; what is left out is as the architecture likes it.

    Raises
    ------
    BadInput
        One sentence that names the setting and its rule.
    """
    from brainlm_engine.train.starting import begun_from
    from brainlm_engine.train.trainable import trainable

    values = begun_from(values)
    recipe = trainable(str(values.get("architecture", "studio")))
    sizes = values.get("model")
    usual = recipe.learning_rate(sizes if isinstance(sizes, dict) else {})
    try:
        settings = TrainSettings.model_validate({"learning_rate": usual, **recipe.settings, **values})
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            raise BadInput("It is not said how long to train.", "Give steps or minutes.", str(error)) from error
        name, rule = str(first["loc"][0]), first["msg"].removeprefix("Input ").rstrip(".")
        raise BadInput(
            f"The setting {name.replace('_', ' ')} of the training {rule}; it is {first['input']!r}.",
            "Change it and start again.",
            str(error),
        ) from error
    if settings.precision == "16" and settings.device == "cpu":
        raise BadInput(
            "Float16 is for training on graphics processors; this training runs on the processor.",
            "Use bfloat16 there (--precision bf16), or choose a graphics processor (--device cuda or mps).",
        )
    return settings
