"""The engine from a Python program, as the README shows it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import brainlm_engine
from brainlm_engine import networks, open_recording, reconstruct, states
from brainlm_engine.api.errors import BadInput
from brainlm_engine.recording import Recording

Make = Callable[..., Recording]


@pytest.fixture
def table(make_recording: Make, tmp_path: Path) -> Path:
    """A table of 36 regions x 240 frames and, beside it, their positions."""
    recording = make_recording(1)
    np.savetxt(tmp_path / "t.csv", recording.series.T, delimiter=",", header=",".join(f"r{i}" for i in range(36)))
    np.savetxt(tmp_path / "c.csv", recording.xyz, delimiter=",", header="x,y,z", comments="")
    return tmp_path / "t.csv"


def test_from_a_table_to_a_result(table: Path) -> None:
    recording = open_recording(table, coordinates=table.with_name("c.csv"), tr=0.72)
    assert (recording.series.shape, recording.tr_s) == ((36, 240), 0.72)
    result = reconstruct(recording, "studio-tiny", ratio=0.5, seed=3, start=20)
    assert result.predicted.shape == result.measured.shape == (36, 200)
    assert result.mask.shape == (36, 10)
    assert result.mask.mean() == pytest.approx(0.5, abs=0.06)
    assert result.r2_parcel.shape == (36,)
    assert {"ridge", "interpolation", "mean"} <= set(result.baselines)
    assert np.isfinite(result.r2)
    assert result.verdict
    again = reconstruct(recording, ratio=0.5, seed=3, start=20)
    np.testing.assert_array_equal(again.predicted, result.predicted)
    assert not np.array_equal(reconstruct(recording, ratio=0.5, seed=4, start=20).mask, result.mask)


def test_what_is_open_is_said_in_the_words_of_python(table: Path) -> None:
    with pytest.raises(BadInput) as caught:
        open_recording(table)
    assert "tr=2.0" in caught.value.next_step
    with pytest.raises(BadInput) as caught:
        open_recording(table, tr=2)
    assert "coordinates=" in caught.value.next_step
    recording = open_recording(table, answers={"tr": "2", "positions": str(table.with_name("c.csv"))})
    for wrong in ({"ratio": 1.0}, {"start": 240}, {"start": -1}, {"seed": -1}):
        with pytest.raises(BadInput):
            reconstruct(recording, **wrong)


def test_what_is_of_another_kind_is_a_sentence(make_recording: Make) -> None:
    recording = make_recording(1)
    with pytest.raises(BadInput, match=r"'x' of the type str, not a recording"):
        reconstruct("x")  # type: ignore[arg-type]
    for name, value in (("ratio", "a"), ("seed", 1.5), ("start", None), ("frames", "200")):
        with pytest.raises(BadInput, match=f"^{name} is .*, not a (whole )?number"):
            reconstruct(recording, **{name: value})  # type: ignore[arg-type]
    for path, answers in ((None, None), ("x.tsv", "tr=2")):
        with pytest.raises(BadInput, match="not a (file name|dict)"):
            open_recording(path, answers=answers)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        open_recording("x.tsv", tr="soon")  # type: ignore[arg-type]
    assert np.isfinite(reconstruct(recording, ratio=np.float32(0.5), seed=np.int64(3)).r2)


def test_networks_and_states_from_python(make_recording: Make) -> None:
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.networks import networks as found_by
    from brainlm_engine.tasks.states import brain_states

    recording = make_recording(1)
    made = networks(recording, source="connectivity", count=3, controls=False)
    same = found_by(load_model(), recording, source="connectivity", count=3, controls=False)
    np.testing.assert_array_equal(made.labels, same.labels)
    assert repr(made.info.scores) == repr(same.info.scores)
    assert "Coordinates alone" in made.verdict
    seen = states(recording, k=3)
    np.testing.assert_array_equal(
        seen.arrays["model_states"], brain_states(load_model(), recording, 3).arrays["model_states"]
    )
    assert seen.info.model.k == 3
    for function in (networks, states):
        with pytest.raises(BadInput, match="not a recording"):
            function("x.tsv")  # type: ignore[arg-type]
    for wrong in (1, "four"):
        with pytest.raises(BadInput):
            networks(recording, count=wrong)  # type: ignore[arg-type]
        with pytest.raises(BadInput):
            states(recording, k=wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="cannot be compared by"):
        networks(recording, source="dreams")


def test_a_recording_comes_back_as_it_was_written(make_recording: Make, tmp_path: Path) -> None:
    written = make_recording(2)
    written.save(tmp_path / "r.safetensors")
    read = open_recording(tmp_path / "r.safetensors")
    np.testing.assert_array_equal(read.series, written.series)
    assert (read.name, read.provenance) == (written.name, written.provenance)
    assert open_recording(tmp_path / "r.safetensors", tr=2.0).tr_s == 2.0


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, brainlm_engine; assert brainlm_engine.__version__\n"
        "heavy = {'torch', 'numpy', 'pydantic', 'nibabel', 'scipy'} & set(sys.modules); assert not heavy, heavy\n"
        "from brainlm_engine import open_recording; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(AttributeError):
        _ = brainlm_engine.nothing_of_that_name  # type: ignore[attr-defined]


def test_a_repair_and_wrong_settings(make_recording: Make) -> None:
    made = brainlm_engine.repair(make_recording(1), parcels=(3,), method="ridge", dvars=False)
    assert made.filled[3].all()
    assert made.info.kinds[0].method == "ridge"
    with pytest.raises(BadInput, match="cannot be used: method"):
        brainlm_engine.repair(make_recording(1), method="magic")
    with pytest.raises(BadInput, match="not a recording"):
        brainlm_engine.repair("file.tsv")  # type: ignore[arg-type]
