"""What it would take: gradients are right, planted changes are found, limits hold, chance is told from an answer."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor

import brainlm_engine
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import Target
from brainlm_engine.api.steer import FORMS, Aim, SteerSoFar, SteerSpec
from brainlm_engine.cli import main
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.brainlm_13m import BrainLM13M, Config13M
from brainlm_engine.recording import Recording
from brainlm_engine.simulate.demo import demo_recording
from brainlm_engine.tasks.perturb import Steering, steer
from brainlm_engine.tasks.perturb.aims import Goal, Reading, goal_of, known_parcels
from brainlm_engine.tasks.perturb.brain_state import Expectation, State, eye_of
from brainlm_engine.tasks.perturb.search import search

Make = Callable[..., Recording]
SMALL = {
    "hidden_size": 32, "decoder_hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 32,
}  # fmt: skip
QUICK: dict[str, object] = {"restarts": 1, "nulls": 0, "steps": 6}


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


@pytest.fixture
def recording(make_recording: Make) -> Recording:
    return make_recording(3, frames=240)


def changed(recording: Recording, regions: tuple[int, ...], size: float = 2.0) -> Recording:
    """The same recording, with a course added to some regions."""
    series = recording.series.copy()
    course = np.sin(np.arange(series.shape[1]) / 7.0)
    for region in regions:
        series[region] += size * series[region].std() * course
    return replace(recording, series=series.astype(np.float32), name="changed")


def toward(other: Recording, **more: object) -> tuple[SteerSpec, Callable[[str], Recording | None]]:
    spec = SteerSpec(aim=Aim(kind="recordings", recordings=("other",)), **{**QUICK, **more})  # type: ignore[arg-type]
    return spec, lambda name: other if name == "other" else None


def steered(model: MaskedModel, recording: Recording, other: Recording, **more: object) -> Steering:
    spec, opened = toward(other, **more)
    return steer(model, recording, spec, opened=opened)


@pytest.mark.parametrize("kind", ["regions", "summary", "connectivity", "activity"])
def test_gradients_are_those_of_finite_differences(kind: str, recording: Recording) -> None:
    model = load_model().double()
    eye = eye_of(model, recording, None)
    shown = eye.shown(recording)[:, :100].double()
    read: Callable[[Tensor], Tensor]
    if kind == "activity":
        hidden, asked = torch.zeros(len(shown), 5, dtype=torch.bool), torch.zeros(shown.shape, dtype=torch.bool)
        hidden[3, 2:4], asked[3, 45:70] = True, True
        read = Expectation(eye, hidden, asked)
    else:
        read = State(kind, eye, torch.as_tensor(known_parcels(recording)))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        weights = torch.randn(read(shown).shape, generator=generator, dtype=torch.float64)
    change = torch.zeros_like(shown).requires_grad_(True)
    (slope,) = torch.autograd.grad((read(shown + change) * weights).sum(), change)
    for _ in range(3):
        way = torch.randn(shown.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            up, down = (float((read(shown + sign * 1e-5 * way) * weights).sum()) for sign in (1, -1))
        assert float((slope * way).sum()) == pytest.approx((up - down) / 2e-5, rel=1e-3)


def test_learning_takes_a_persons_own_loadings_as_given(model: MaskedModel, recording: Recording) -> None:
    """The whole gradient is for those who ask a trained model; training goes on as it did."""
    guess = model.first_guess
    assert not guess.training
    with guess.taken_as_given():  # type: ignore[operator]
        assert torch.is_grad_enabled()
    guess.train()  # type: ignore[operator]
    with guess.taken_as_given():  # type: ignore[operator]
        assert not torch.is_grad_enabled()
    guess.eval()  # type: ignore[operator]


@pytest.mark.parametrize("state", ["regions", "connectivity"])
def test_a_planted_change_is_found(state: str, model: MaskedModel, recording: Recording) -> None:
    planted = (4, 5, 20)
    made = steered(model, recording, changed(recording, planted), state=state, steps=12)
    assert made.info.left < 0.6
    assert set(np.argsort(-made.magnitude)[:3]) == set(planted)
    assert made.arrays["sensitivity"][list(planted)].min() > np.median(made.arrays["sensitivity"])
    assert made.arrays["change"].shape == (recording.n_parcels, 240 // 20 * 20)
    assert "nearer to the state of changed" in made.verdict


def test_the_answer_is_what_is_said_of_it(model: MaskedModel, recording: Recording) -> None:
    """The distance left is that of the recording with the change added, read anew."""
    other = changed(recording, (7, 8))
    made = steered(model, recording, other)
    eye = eye_of(model, recording, None)
    read = State("regions", eye, torch.as_tensor(known_parcels(recording)))
    with torch.no_grad():
        own, after, aim = (
            read(each)
            for each in (
                eye.shown(recording), eye.shown(recording) + torch.as_tensor(made.arrays["change"]), eye.shown(other),
            )
        )  # fmt: skip
    assert made.info.distance == pytest.approx(float((own - aim).norm()), rel=1e-4)
    assert made.info.left == pytest.approx(float((after - aim).norm() / (own - aim).norm()), rel=1e-3)
    assert made.info.size == pytest.approx(np.sqrt(np.square(made.arrays["change"]).mean()), rel=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_comes_nearer(form: str, model: MaskedModel, make_recording: Make) -> None:
    recording = replace(make_recording(3, frames=100), networks=tuple(["Vis", "Default"] * 18))
    state = "regions" if form == "gain" else "connectivity"  # no gain changes a correlation
    made = steered(model, recording, changed(recording, (4, 5, 20), 3.0), state=state, form=form, sparsity=0.0)
    assert made.info.left < 0.999
    assert made.info.curves[0][-1] == pytest.approx(made.info.left, abs=1e-4)
    change = made.arrays["change"]
    if form == "low_rank":
        sizes = np.linalg.svd(change, compute_uv=False)
        assert sizes[2:].max() < 0.05 * sizes[0]  # two courses, bent a little by the limit
    if form == "gaussian":
        spread = np.abs(change).max(0)
        assert spread.argmax() not in (0, change.shape[1] - 1)


def test_limits_hold(model: MaskedModel, recording: Recording) -> None:
    other = changed(recording, (4, 5, 20), 4.0)
    made = steered(
        model, recording, other, state="connectivity", regions=(5, 9), start=60, stop=140, most=0.3, sparsity=0.0
    )
    change = made.arrays["change"]
    assert np.flatnonzero(np.abs(change).max(1)).tolist() == [5, 9]
    assert np.flatnonzero(np.abs(change).max(0)).tolist() == list(range(60, 140))
    assert np.abs(change).max() <= 0.3
    assert made.info.peak == pytest.approx(np.abs(change).max())
    assert np.flatnonzero(np.isfinite(made.magnitude)).tolist() == [5, 9]
    free = steered(model, recording, other, state="connectivity", sparsity=0.0)
    few = steered(model, recording, other, state="connectivity", sparsity=20.0)
    assert few.info.size < free.info.size
    calm = steered(model, recording, other, state="connectivity", sparsity=0.0, smoothness=0.05)
    steps = [np.abs(np.diff(each.arrays["change"], axis=1)).mean() / each.info.size for each in (free, calm)]
    assert steps[1] < steps[0]


def test_regions_are_steered_by_the_others(model: MaskedModel) -> None:
    recording = demo_recording(n_frames=200)
    visual = np.flatnonzero([name.startswith("Vis") for name in recording.networks])[:4]
    target = Target(regions=tuple(map(int, visual)), start=100, stop=140, value=1.5)
    spec = SteerSpec(aim=Aim(kind="activity", targets=(target,)), restarts=1, nulls=5, steps=10)
    made = steer(model, recording, spec)
    before, after, wanted = made.arrays["aimed"]
    there = np.isfinite(wanted)
    assert there.sum() == 40
    assert wanted[there] == pytest.approx(1.5, abs=1e-5)
    assert np.abs(after - wanted)[there].mean() < 0.5 * np.abs(before - wanted)[there].mean()
    assert np.isnan(made.magnitude[visual]).all()
    assert not made.arrays["change"][visual].any()
    assert made.info.start == 0
    assert made.info.p == pytest.approx(1 / 6)


def test_adam_and_other_starts(model: MaskedModel, recording: Recording) -> None:
    other = changed(recording, (4, 5, 20))
    adam = steered(model, recording, other, state="connectivity", method="adam", steps=30)
    assert adam.info.left < 0.9
    several = steered(model, recording, other, state="connectivity", restarts=3, steps=15)
    assert len(several.info.curves) == 3
    assert several.info.agreement > 0.8
    for curve in several.info.curves:
        assert curve[-1] <= curve[0]


def test_chance_is_told_from_an_answer(model: MaskedModel, recording: Recording) -> None:
    made = steered(model, recording, changed(recording, (4, 5, 20)), state="connectivity", nulls=19, shuffles=2)
    assert made.arrays["null_left"].shape == (19,)
    assert made.info.left < made.arrays["null_left"].min()
    assert made.info.p == pytest.approx(1 / 20)
    assert "the same change in random regions takes it" in made.verdict
    assert made.arrays["null_shares"].shape[0] == 2
    assert any("too few for p < .05" in note for note in made.info.notes)
    again = steered(model, recording, changed(recording, (4, 5, 20)), state="connectivity", nulls=19, shuffles=2)
    for name, values in made.arrays.items():
        assert np.array_equal(values, again.arrays[name], equal_nan=True)


def test_what_few_people_say_is_drawn_towards_nothing(model: MaskedModel, recording: Recording) -> None:
    eye, known = eye_of(model, recording, None), torch.as_tensor(known_parcels(recording))
    state = State("regions", eye, known)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(10, recording.n_parcels * 2 * 4, generator=generator)
    table = rows.view(10, recording.n_parcels, -1)
    table[:, 7] += 3.0
    goal = Goal("x", rows, False, None, known)
    own = torch.zeros(rows.shape[1])
    kept = goal.target(own, state).view(recording.n_parcels, -1).norm(dim=1)
    assert kept.argmax() == 7
    assert kept[7] > 0.9 * table[:, 7].mean(0).norm()
    assert (kept == 0).sum() > recording.n_parcels // 4
    drawn = goal.shuffled(own, state, np.random.default_rng(0))
    assert float(drawn.norm()) == pytest.approx(float(goal.target(own, state).norm()), rel=1e-4)
    assert float(drawn.view(recording.n_parcels, -1)[7].norm()) < 0.7 * float(kept[7])


def two_tasks(small_cohort: Path) -> Path:
    for path in sorted((small_cohort / "recordings").glob("*rest*")):
        made = changed(Recording.load(path), (4, 5, 20))
        made.save(path.with_name(path.name.replace("rest", "task")))
    table = small_cohort / "participants.tsv"
    lines = table.read_text(encoding="utf-8").strip().split("\n")
    rows = [lines[0] + "\tsex", *(f"{line}\t{'FM'[number % 2]}" for number, line in enumerate(lines[1:]))]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return small_cohort


def test_what_a_task_does_to_others(small_cohort: Path, model: MaskedModel) -> None:
    cohort = two_tasks(small_cohort)
    mine = cohort / "recordings" / "sub-03_task-rest_run-1.safetensors"
    recording = Recording.load(mine)
    aim = Aim(kind="contrast", cohort=str(cohort), first="rest", second="task", people=6)
    goal = goal_of(aim, Reading("connectivity", model, recording), leave_out=mine)
    assert goal.rows.shape[0] == 6
    assert "takes no part" in goal.notes[0]
    spec = SteerSpec(aim=aim, state="connectivity", restarts=1, nulls=0, steps=15)
    made = steer(model, recording, spec, leave_out=mine)
    assert set(np.argsort(-made.magnitude)[:3]) == {4, 5, 20}
    assert "what takes 6 people of cohort from rest to task" in made.info.toward
    same = Goal("x", torch.stack([goal.rows[0], -goal.rows[0]]), False, None, goal.keep)
    with pytest.raises(BadInput, match="chance alone makes as large a difference"):
        steer(model, recording, spec, goal=same)
    groups = Aim(kind="contrast", cohort=str(cohort), column="sex", first="F", second="M", people=10)
    goal = goal_of(groups, Reading("connectivity", model, recording), leave_out=mine)
    assert goal.second is not None
    assert sorted(np.bincount(goal.second.numpy())) == [4, 5]


def test_a_person_may_end_it(model: MaskedModel, recording: Recording) -> None:
    seen: list[SteerSoFar] = []

    def watch(told: SteerSoFar, magnitude: np.ndarray) -> bool:
        seen.append(told)
        assert magnitude.shape == (recording.n_parcels,)
        return len(seen) < 4

    spec, opened = toward(changed(recording, (4, 5)), state="connectivity", nulls=9, shuffles=2, restarts=2, steps=40)
    made = steer(model, recording, spec, opened=opened, watch=watch)
    assert made.info.stopped
    assert len(seen) == 4
    assert made.info.left == pytest.approx(seen[-1].curve[-1], abs=1e-4)
    assert not len(made.arrays["null_left"])
    assert any("ended before" in note for note in made.info.notes)


def unable(*_: object) -> tuple[Tensor, Tensor]:
    raise NotImplementedError


def test_what_cannot_be_done_is_said(model: MaskedModel, recording: Recording, make_recording: Make) -> None:
    other = changed(recording, (4, 5))
    for more, match in (
        ({"regions": (99,)}, "Region 100 may not be changed"),
        ({"start": 900, "stop": 990}, "nothing can be changed"),
    ):
        with pytest.raises(BadInput, match=match):
            steered(model, recording, other, **more)
    with pytest.raises(BadInput, match="at its target already"):
        steered(model, recording, recording)
    with pytest.raises(BadInput, match=r"other regions \(20\)"):
        steered(model, recording, make_recording(1, parcels=20))
    nowhere = replace(recording, missing=np.arange(recording.n_parcels) != 3)
    with pytest.raises(BadInput, match="None of the regions"):
        steered(model, nowhere, other, regions=(5,))
    with pytest.raises(BadInput, match="There is no target"):
        steer(model, recording, SteerSpec(aim=Aim(kind="activity")))
    far = Target(regions=(3,), start=0, stop=230)
    long = SteerSpec(aim=Aim(kind="activity", targets=(far, Target(regions=(4,), start=0, stop=20))))
    assert steer(model, recording, long.model_copy(update={"restarts": 1, "nulls": 0, "steps": 1})).info.size >= 0
    blind = BrainLM13M(
        Config13M(
            hidden_size=32, decoder_hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
        )
    )
    blind.embed = unable  # type: ignore[method-assign]
    with pytest.raises(BadInput, match="cannot embed"):
        steered(blind, recording, other)


def test_a_gradient_that_is_no_number_is_said() -> None:
    theta = [torch.zeros(3, requires_grad=True)]
    with pytest.raises(BadInput, match="no number"):
        search(lambda given: ((given[0] * torch.nan).sum(),) * 2, theta, "lbfgs", 5, lambda _: True)
    calls: list[int] = []

    def breaks_later(given: list[Tensor]) -> tuple[Tensor, Tensor]:
        calls.append(1)
        loss = (given[0] - 1).square().sum()
        return (loss, loss) if len(calls) < 3 else (loss * torch.nan, loss)

    found, stopped = search(breaks_later, [torch.zeros(3, requires_grad=True)], "adam", 9, lambda _: True)
    assert not stopped
    assert len(found.curve) == 2
    assert torch.isfinite(found.theta[0]).all()


def test_regions_without_signal_do_not_count(model: MaskedModel, recording: Recording) -> None:
    other = changed(recording, (4, 5, 20))
    holed = replace(other, missing=np.arange(recording.n_parcels) == 11)
    made = steered(model, recording, holed, state="connectivity", steps=12)
    assert np.isnan(made.magnitude[11])
    assert set(np.argsort(-np.nan_to_num(made.magnitude))[:3]) == {4, 5, 20}


def test_published_models_can_be_asked(make_recording: Make) -> None:
    torch.manual_seed(0)
    model = BrainLM13M(
        Config13M(
            hidden_size=32, decoder_hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
        )
    )
    recording = make_recording(5, frames=200)
    made = steered(model.eval(), recording, changed(recording, (4, 5, 20)), state="summary", sparsity=0.0)
    assert made.info.left < 0.9


def test_command_files_and_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, other = tmp_path / "rest.safetensors", tmp_path / "other.safetensors"
    recording = demo_recording(n_frames=60)
    recording.save(path)
    changed(recording, (4, 5, 20)).save(other)
    table = tmp_path / "change.csv"
    base = ["steer", str(path), "--toward", str(other), "--state", "connectivity", "--restarts", "1", "--nulls", "2"]
    assert main([*base, "--out", str(table), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    lines = table.read_text(encoding="utf-8").splitlines()
    assert "treatment" in lines[0]
    rows = list(csv.DictReader(lines[1:]))
    most = max(rows, key=lambda row: float(row["magnitude_sd"]))
    assert most["region"] == told["most"][0]["region"]
    assert int(most["number"]) - 1 in (4, 5, 20)
    for name in ("change.nii.gz", "change.dscalar.nii", "change.safetensors"):
        assert main([*base, "--out", str(tmp_path / name)]) == 0
    assert told["networks"][0]["network"] in capsys.readouterr().out
    image = nibabel.load(tmp_path / "change.nii.gz").get_fdata()
    assert image.max() == pytest.approx(float(most["magnitude_sd"]), rel=1e-3)
    assert load_file(tmp_path / "change.safetensors")["change"].shape == (424, 60)
    for wrong, match in (
        (["steer", str(path)], "says where the state is to go"),
        (["steer", str(path), "--between", "task=a,b"], "belong together"),
        ([*base, "--span", "9-2"], "no span of time"),
        ([*base, "--out", str(tmp_path / "x.png")], "no file of a change"),
        ([*base, "--most", "0"], "--most cannot be used"),
    ):
        assert main(wrong) != 0
        assert match in capsys.readouterr().err
    made = brainlm_engine.steer(recording, other, state="connectivity", **QUICK)
    assert made.info.left < 1
    with pytest.raises(BadInput, match="no setting 'speed'"):
        brainlm_engine.steer(recording, other, speed=3)
    with pytest.raises(BadInput, match="'form' cannot be used"):
        brainlm_engine.steer(recording, other, form="loud")
