"""How a published model's input is scaled: chosen in the window, computed by a job, told with the result."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app.controllers.studio import Studio
from app.text import tr
from app.views.main_window import MainWindow
from brainlm_engine.simulate import simulate_cohort

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]
CONFIG: dict[str, Any] = {
    "model_type": "brainlm_mae", "architectures": ["BrainLMForPretraining"], "hidden_size": 16,
    "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24, "decoder_hidden_size": 16,
    "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2, "decoder_intermediate_size": 24,
    "timepoint_patching_size": 20, "num_timepoints_per_voxel": 200, "mask_ratio": 0.2, "conv_kernel_size": 5,
    "num_landmarks": 64, "segment_means_seq_len": 64,
}  # fmt: skip


def published(folder: Path) -> None:
    """Import a small model of the published 13M architecture as “published”."""
    import torch

    from brainlm_engine.models.brainlm_13m import BrainLM13M
    from brainlm_engine.models.exchange import import_model

    torch.manual_seed(0)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    model = BrainLM13M.from_config(CONFIG)
    torch.save({**model.state_dict(), **model.tables()}, folder / "pytorch_model.bin")
    import_model(folder, "published")


def test_a_published_model_is_fed_with_the_chosen_statistics(
    window: MainWindow, live: Live, until: Until, tmp_path: Path
) -> None:
    published(tmp_path / "old_13M")
    people = simulate_cohort(tmp_path / "eight people", 8, n_frames=60).folder
    scan = sorted((people / "recordings").glob("*.safetensors"))[0]

    async def story(studio: Studio) -> None:
        state, model = studio.state, studio.state.model
        assert studio.modelling is not None
        assert studio.training is not None
        panel = studio.modelling._page.model
        await until(lambda: bool(model.models) and state.train.choices is not None)
        state.train.put(size="mini", batch=1)
        assert await studio.training.cohorts.choose(str(people))
        assert panel._choice.isHidden(), "a model that learned from z-scores leaves no choice"
        assert await studio.open_path(scan)
        assert await studio.prepared(), (state.case.phase, [notice.text for notice in state.notices.waiting])
        model.model_id = "published"
        assert not panel._choice.isHidden()
        offered = {panel._scaling.itemData(i): panel._scaling.itemText(i) for i in range(panel._scaling.count())}
        key = f"cohort:{people}"
        assert offered == {"zscore": tr("model.scaling.zscore"), key: "Of eight people"}
        plain = await studio.reconstruct()
        assert plain is not None
        assert plain.info.scaling == "z-score per parcel over the recording"
        assert any("z-scored" in note for note in plain.info.notes)
        panel.scaling_chosen.emit(key)
        assert model.outdated
        scaled = await studio.reconstruct()
        assert scaled is not None, [notice.text for notice in state.notices.waiting]
        assert "of the cohort eight people" in scaled.info.scaling
        assert scaled.info.scores[0] != plain.info.scores[0]
        took = studio.modelling._page.scores._took.text()
        assert "Input: robust, median and interquartile range per parcel of the cohort eight people" in took
        assert [job.kind for job in state.work.jobs].count("scaling_statistics") == 1
        studio.commands.toggle_names()
        assert "eight people" not in studio.modelling._page.scores._took.text()
        assert panel._scaling.itemText(1) == "Of Cohort 1"
        studio.commands.toggle_names()
        state.edits.undo()
        assert model.scaling_used == "zscore"
        assert model.outdated
        model.model_id = "studio-tiny"
        assert panel._choice.isHidden()

    live(story, window, timeout=200)
