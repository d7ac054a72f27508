"""A scan's way through the engine: open, look, parcellate, reconstruct. Also a table's way, and wrong files."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.api.messages import JobState, MaskSpec
from brainlm_engine.atlas import load_atlas, resample_labels
from brainlm_engine.recording import Recording

from .conftest import Engine, connected, ended

AFFINE = np.array([[6.0, 0, 0, -90], [0, 6, 0, -126], [0, 0, 6, -72], [0, 0, 0, 1]])
SHAPE = (31, 37, 31)
FRAMES = 60


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A small 4D scan in MNI space whose voxels carry their parcel's series, and those series (424, frames)."""
    labels = resample_labels(load_atlas("mni424"), SHAPE, AFFINE)
    rng = np.random.default_rng(0)
    series = 1000 + 10 * np.cumsum(rng.normal(size=(424, FRAMES)), axis=1)
    volume = np.zeros((*SHAPE, FRAMES), np.float32)
    volume[labels > 0] = series[labels[labels > 0] - 1]
    image = nib.Nifti1Image(volume, AFFINE)
    image.header.set_zooms((6, 6, 6, 2.0))
    image.header.set_xyzt_units("mm", "sec")
    path = tmp_path_factory.mktemp("scans") / "sub-01 ä_bold.nii.gz"
    nib.save(image, path)
    return path, series.astype(np.float32)


def test_head_motion_beside_a_scan_and_chosen(engine: Engine, scan: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    copy = shutil.copy(scan[0], tmp_path / "sub-01_task-rest_space-MNI_bold.nii.gz")
    table = tmp_path / "sub-01_task-rest_desc-confounds_timeseries.tsv"

    async def talk() -> None:
        async with connected(engine) as client:
            scan_id = (await client.open_scan(copy)).message.scan_id
            nothing = await client.motion(scan_id)
            assert (nothing.message.path, nothing.arrays) == ("", {})

            table.write_text("framewise_displacement\nn/a\n0.5\n")
            short = await client.motion(scan_id)
            assert short.arrays == {}
            assert "has 2 rows" in short.message.problem
            with pytest.raises(BadInput, match="has 2 rows"):
                await client.motion(scan_id, table)

            table.write_text("framewise_displacement\nn/a\n" + "0.5\n" * (FRAMES - 1))
            for path in ("", table):
                found = await client.motion(scan_id, path)
                assert found.message.beside is (path == "")
                assert found.message.name == table.name
                np.testing.assert_allclose(found.arrays["fd_mm"][1:], 0.5)

    asyncio.run(talk())


def test_a_scan_from_file_to_reconstruction(engine: Engine, scan: tuple[Path, np.ndarray]) -> None:
    path, series = scan

    async def talk() -> None:
        async with connected(engine) as client:
            opened = await client.open_scan(path)
            info = opened.message
            assert (info.kind, info.n_frames, info.tr_s, info.shape) == ("volume", FRAMES, 2.0, (*SHAPE, FRAMES))
            assert info.space is not None
            volume = np.asarray(nib.nifti1.load(path).dataobj)
            np.testing.assert_allclose(opened.arrays["volume"], volume[..., 0], rtol=1e-6)

            cut = await client.slices(info.scan_id, 7, (15, 20, 12))
            np.testing.assert_allclose(cut.arrays["axial"], volume[:, :, 12, 7], rtol=1e-6)
            np.testing.assert_allclose(cut.arrays["sagittal"], volume[15, :, :, 7], rtol=1e-6)
            voxel = await client.series(info.scan_id, (15, 20, 12))
            np.testing.assert_allclose(voxel.arrays["series"], volume[15, 20, 12], rtol=1e-6)
            grid = (await client.atlas_on_scan(info.scan_id, "mni424")).arrays["labels"]
            assert grid.shape == SHAPE

            cached = await client.submit("cache", {"path": str(path)})
            job = await client.submit("parcellate", {"path": str(path), "atlas_id": "mni424"}, "Parcellate")
            assert (await ended(client, cached.job_id)).result == {"scan_id": info.scan_id}
            done = await ended(client, job.job_id)
            assert done.state is JobState.DONE, done.error
            assert done.result is not None

            recording = await client.recording(done.result["recording_id"])
            assert recording.message.scan_id == info.scan_id
            present = ~recording.arrays["missing"]
            assert present.sum() > 380
            np.testing.assert_allclose(recording.arrays["series"][present], series[present], rtol=1e-4)
            assert recording.arrays["dvars"].shape == (FRAMES,)

            answer = await client.reconstruct(
                recording.message.recording_id, "studio-tiny", 0, MaskSpec(kind="random", ratio=0.75, seed=1)
            )
            shown = answer.message
            assert answer.arrays["measured"].shape == answer.arrays["predicted"].shape == (424, shown.n_frames)
            assert 0.7 < answer.arrays["mask"].mean() < 0.8
            assert shown.scores[0].method == "model"

            whole = await client.submit(
                "reconstruct_recording",
                {"recording_id": recording.message.recording_id, "model_id": "studio-tiny", "ratio": 0.75, "seed": 0},
            )
            told = await ended(client, whole.job_id)
            assert told.state is JobState.DONE, told.error
            assert told.result is not None
            assert Path(told.result["path"]).is_file()
            kept = await client.recording_reconstruction(whole.job_id)
            assert kept.message.whole
            assert kept.message.verdict == told.result["verdict"]
            assert kept.message.scores[0].method == "model"
            assert kept.arrays["predicted"].shape == kept.arrays["measured"].shape == series.shape
            assert np.isfinite(kept.arrays["predicted"][present]).all()
            assert kept.arrays["mask"][present].all()
            for unknown in ("20990101-000000-abcdef", "../recordings/x"):
                with pytest.raises(BadInput):
                    await client.recording_reconstruction(unknown)

    asyncio.run(talk())


def test_a_scan_is_opened_again_after_the_interactive_worker_died(
    engine: Engine, scan: tuple[Path, np.ndarray]
) -> None:
    import psutil

    async def talk() -> None:
        async with connected(engine) as client:
            info = (await client.open_scan(scan[0])).message
            before = await client.slices(info.scan_id, 3, (10, 10, 10))
            psutil.Process((await client.ping()).pid).kill()
            with pytest.raises(EngineError):
                for _ in range(1000):
                    await client.slices(info.scan_id, 3, (10, 10, 10))
            after = await client.slices(info.scan_id, 3, (10, 10, 10))
            np.testing.assert_array_equal(before.arrays["axial"], after.arrays["axial"])

    asyncio.run(talk())


def test_a_table_and_its_positions(engine: Engine, tmp_path: Path) -> None:
    atlas = load_atlas("mni424")
    rng = np.random.default_rng(1)
    distance = np.linalg.norm(atlas.xyz[:, None] - atlas.xyz[None], axis=2)
    mixed = np.exp(-((distance / 25) ** 2)) @ rng.normal(size=(424, 80))
    path = tmp_path / "sub-02.tsv"
    np.savetxt(path, mixed.T, delimiter="\t", header="\t".join(atlas.names), comments="")

    async def talk() -> None:
        async with connected(engine) as client:
            opened = await client.open_scan(path, {"tr": "2.0"})
            assert (opened.message.kind, opened.message.shape) == ("table", (424, 80))
            np.testing.assert_allclose(opened.arrays["series"], mixed, rtol=1e-4)
            with pytest.raises(BadInput, match="is a table: it has no slices"):
                await client.slices(opened.message.scan_id, 0, (0, 0, 0))
            params = {"path": str(path), "answers": {"tr": "2.0"}, "atlas_id": "mni424"}
            done = await ended(client, (await client.submit("table", params)).job_id)
            assert done.state is JobState.DONE, done.error
            assert done.result is not None
            recording = await client.recording(done.result["recording_id"])
            assert recording.message.atlas_id == "mni424"
            assert recording.message.provenance["positions"]["ok"]
            refused = await ended(client, (await client.submit("parcellate", params)).job_id)
            assert refused.error is not None
            assert refused.error.message == "sub-02.tsv is a table, not a 4D scan."

    asyncio.run(talk())


def test_a_recording_of_our_own_knows_where_its_regions_lie(engine: Engine, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    written = Recording(
        series=rng.normal(size=(30, 40)).astype(np.float32), tr_s=1.0, missing=np.zeros(30, bool),
        xyz=rng.uniform(-60, 60, (30, 3)).astype(np.float32), coverage=np.full(30, 0.5, np.float32), unit="SD",
        provenance={"simulated": True, "notes": ["Told before."]},
    )  # fmt: skip
    path = tmp_path / "own.safetensors"
    written.save(path)

    async def talk() -> None:
        async with connected(engine) as client:
            opened = await client.open_scan(path)
            assert (opened.message.kind, opened.message.shape, opened.message.tr_s) == ("table", (30, 40), 1.0)
            assert (opened.message.questions, opened.message.simulated) == ((), True)
            np.testing.assert_array_equal(opened.arrays["series"], written.series)
            # the window names its default atlas, which has other regions
            params = {"path": str(path), "answers": {}, "atlas_id": "mni424"}
            done = await ended(client, (await client.submit("table", params)).job_id)
            assert done.state is JobState.DONE, done.error
            assert done.result is not None
            kept = await client.recording(done.result["recording_id"])
            assert (kept.message.atlas_id, kept.message.unit) == ("", "SD")
            assert "Told before." in kept.message.notes
            np.testing.assert_array_equal(kept.arrays["series"], written.series)
            np.testing.assert_array_equal(kept.arrays["xyz"], written.xyz)
            np.testing.assert_array_equal(kept.arrays["coverage"], written.coverage)

    asyncio.run(talk())


def test_atlases_surfaces_and_models(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            assert "mni424" in [atlas.atlas_id for atlas in (await client.atlases()).atlases]
            atlas = await client.atlas("mni424")
            assert atlas.arrays["labels"].shape == (91, 109, 91)
            assert atlas.arrays["surface_left"].shape == (10242,)
            meshes = (await client.surfaces()).arrays
            assert meshes["pial_left_vertices"].shape == (10242, 3)
            assert (await client.models()).models[0].model_id == "studio-tiny"
            with pytest.raises(BadInput, match="no atlas"):
                await client.atlas("nonesuch")

    asyncio.run(talk())


@pytest.mark.parametrize("name", ["gone.nii.gz", "text.nii", "."])
def test_a_wrong_file_is_one_sentence(engine: Engine, tmp_path: Path, name: str) -> None:
    (tmp_path / "text.nii").write_text("not a scan")

    async def talk() -> None:
        async with connected(engine) as client:
            with pytest.raises(BadInput) as caught:
                await client.open_scan(tmp_path / name)
            assert caught.value.next_step
            assert "\n" not in caught.value.message

    asyncio.run(talk())
