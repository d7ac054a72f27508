"""Published folders in and out, from a disk and from a hub; what does not fit is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from brainlm_engine.api.errors import BadInput, EngineError, OutOfSpace
from brainlm_engine.models import list_models, load_model
from brainlm_engine.models.brainlm_13m import BrainLM13M
from brainlm_engine.models.card import Card, check
from brainlm_engine.models.exchange import export_model, import_model
from brainlm_engine.models.hub import fetch_model
from brainlm_engine.models.registry import find_model
from brainlm_engine.paths import data_dir

CONFIG: dict[str, Any] = {
    "model_type": "brainlm_mae", "architectures": ["BrainLMForPretraining"], "max_eval_samples": 800,
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24,
    "decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 24, "timepoint_patching_size": 20, "num_timepoints_per_voxel": 200,
    "mask_ratio": 0.2, "conv_kernel_size": 5, "num_landmarks": 64, "segment_means_seq_len": 64,
}  # fmt: skip


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder as the authors give it out: a pickle of weights with both sine tables, and keys we do not know."""
    torch.manual_seed(0)
    model = BrainLM13M.from_config(CONFIG)
    folder = tmp_path / "old_13M"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    torch.save({**model.state_dict(), **model.tables()}, folder / "pytorch_model.bin")
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load_model(folder)
    assert caught.value.message.endswith(".")
    assert caught.value.next_step
    return caught.value.message


def test_a_published_folder_is_loaded_as_it_is(published: Path) -> None:
    model = load_model(published)
    assert isinstance(model, BrainLM13M)
    stored = torch.load(published / "pytorch_model.bin", weights_only=True)
    assert all(torch.equal(stored[key], value) for key, value in model.state_dict().items())
    assert model.card is not None
    assert "CC BY-NC-ND" in model.card.licence
    assert model.card.atlas_id == "a424"


def test_in_and_out_again(published: Path, tmp_path: Path) -> None:
    info = import_model(published, "mine")
    assert info.model_id == "mine"
    assert "mine" in [known.model_id for known in list_models().models]
    folder = data_dir() / "models" / "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "config.json", "model.safetensors"]
    model, card = load_model("mine"), Card.load(folder)
    assert check(model, card).ok
    assert len(card.provenance["imported_sha256"]) == 64
    out = export_model(model, find_model("mine"), tmp_path / "given")
    stored, given = torch.load(published / "pytorch_model.bin", weights_only=True), load_file(out / "model.safetensors")
    assert given.keys() == stored.keys()
    assert all(torch.equal(given[key], stored[key]) for key in stored)
    assert json.loads((out / "config.json").read_text()).items() >= CONFIG.items()
    with pytest.raises(BadInput, match="is there already"):
        export_model(model, find_model("mine"), out)
    with pytest.raises(BadInput, match="called “mine” already"):
        import_model(published, "mine")
    with pytest.raises(BadInput, match="cannot be a model's name"):
        import_model(published, "../mine")


def test_a_published_model_answers_in_a_task_and_says_what_is_not_known(published: Path) -> None:
    import numpy as np

    from brainlm_engine.recording import Recording
    from brainlm_engine.tasks import reconstruct

    draw = np.random.default_rng(0)
    series = draw.standard_normal((12, 210)).astype(np.float32)
    xyz = draw.normal(0, 40, (12, 3)).astype(np.float32)
    recording = Recording(series, 0.72, xyz, np.zeros(12, bool), np.ones(12, np.float32))
    made = reconstruct(load_model(published), recording)
    assert made.predicted.shape == (12, 200)
    assert np.isfinite(made.predicted).all()
    assert any("statistics are not public" in note for note in made.info.notes)
    assert any("trained on the atlas a424 only" in note for note in made.info.notes)


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits on this system")
def test_a_model_that_finds_no_room_leaves_nothing(published: Path, tmp_path: Path) -> None:
    import resource

    own, out = load_model(), tmp_path / "given"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OutOfSpace, match="given would be larger"):
            export_model(own, find_model("studio-tiny"), out)
        with pytest.raises(OutOfSpace, match="mine would be larger"):
            import_model(published, "mine")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not out.exists()
    assert sorted(path.name for path in data_dir().rglob("*")) == ["models"]
    export_model(own, find_model("studio-tiny"), out)  # again, as the message says
    import_model(published, "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given", "home", "old_13M"]


def test_our_own_model_goes_out_too(tmp_path: Path) -> None:
    out = export_model(load_model(), find_model("studio-tiny"), tmp_path / "given")
    assert (out / "people.safetensors").is_file()
    assert check(load_model(out), Card.load(out)).ok


def test_the_whole_repository_is_not_one_model(published: Path) -> None:
    assert "holds several models: old_13M" in refusal(published.parent)


def test_weights_of_another_class(published: Path) -> None:
    weights = {
        "vit.embeddings.position_embeddings": torch.zeros(1, 730, 8),
        "decoder.decoder_pos_embed": torch.zeros(1),
    }
    torch.save(weights, published / "pytorch_model.bin")
    assert "belong to another architecture" in refusal(published)
    torch.save([torch.zeros(1)], published / "pytorch_model.bin")
    assert "not a plain list of weights" in refusal(published)


def test_a_changed_table_is_another_model(published: Path) -> None:
    stored = torch.load(published / "pytorch_model.bin", weights_only=True)
    stored["decoder.pos_embedding.pe"] += 0.01
    save_file(stored, published / "model.safetensors")
    assert "another table decoder.pos_embedding.pe" in refusal(published)


def test_a_cut_off_file(published: Path) -> None:
    path = published / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:2000])
    assert "damaged or incomplete" in refusal(published)
    with pytest.raises(BadInput):
        import_model(published, "mine")
    assert not (data_dir() / "models" / "mine").exists()


class Hub(BaseHTTPRequestHandler):
    """Serves one folder the way the hub does."""

    folder: Path
    spoiled = ""

    def do_GET(self) -> None:
        place = "lab/brain"
        files = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        if self.path == f"/api/models/{place}/tree/main/old_13M":
            rows = [self.row(name, content) for name, content in files.items()]
            self.answer(json.dumps([{"type": "directory", "path": "old_13M/x"}, *rows]).encode())
        elif self.path.startswith(f"/{place}/resolve/main/old_13M/"):
            name = self.path.rsplit("/", 1)[1]
            self.answer(files[name] + (b" " if name == self.spoiled else b""))
        else:
            self.send_error(404)

    @staticmethod
    def row(name: str, content: bytes) -> dict[str, Any]:
        row = {"type": "file", "path": f"old_13M/{name}", "size": len(content), "oid": "?"}
        if name == "config.json":
            return row | {"oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}
        return row | {"lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}}

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""


@pytest.fixture
def hub(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Hub.folder, Hub.spoiled = published, ""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_from_the_hub(hub: str) -> None:
    with pytest.raises(BadInput, match="licence of their own") as asked:
        fetch_model("hf:lab/brain/old_13M", hub=hub)
    assert "--accept-licence" in asked.value.next_step
    info = fetch_model("hf:lab/brain/old_13M", accept_licence=True, hub=hub)
    assert info.model_id == "old_13M"
    assert Card.load(find_model("old_13M")).provenance["source"] == f"{hub}/lab/brain"
    assert check(load_model("old_13M"), Card.load(find_model("old_13M"))).ok


@pytest.mark.parametrize("spoiled", ["config.json", "pytorch_model.bin"])
def test_a_file_that_is_not_what_the_hub_says(hub: str, spoiled: str) -> None:
    Hub.spoiled = spoiled
    with pytest.raises(EngineError, match="checksum differs"):
        fetch_model("hf:lab/brain/old_13M", accept_licence=True, hub=hub)
    assert not (data_dir() / "models" / "old_13M").exists()


def test_no_such_model_and_no_hub(hub: str) -> None:
    with pytest.raises(EngineError, match="HTTP 404"):
        fetch_model("hf:lab/brain/nothing", accept_licence=True, hub=hub)
    with pytest.raises(EngineError, match="cannot be reached"):
        fetch_model("hf:lab/brain/old_13M", accept_licence=True, hub="http://127.0.0.1:9")
    with pytest.raises(BadInput, match="names no model"):
        fetch_model("hf:brain", accept_licence=True, hub=hub)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("golden_vitmae_p14", "BrainLM ViTMAE"),
        ("golden_vitmae_p16", "BrainLM ViTMAE"),
        ("golden_causal", "BrainLM decoder-only"),
    ],
)
def test_each_published_architecture_is_told_from_its_configuration(name: str, title: str) -> None:
    folder = Path(__file__).parents[2] / "data" / name
    model = load_model(folder)
    assert model.card is not None
    assert model.card.title.startswith(title)
    info = import_model(folder, "mine")  # tables that are left out or held, both ways
    assert info.architecture == model.card.architecture
    card = Card.load(find_model("mine"))
    assert set(model.limits) <= set(card.limits)
    assert check(load_model("mine"), card).ok


def test_a_vitmae_checkpoint_under_the_name_of_the_13m_model(published: Path) -> None:
    source = Path(__file__).parents[2] / "data" / "golden_vitmae_p16" / "model.safetensors"
    (published / "model.safetensors").write_bytes(source.read_bytes())
    assert "belong to another architecture" in refusal(published)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["golden_tiny", "golden_causal_tiny"])
def test_the_recorded_checkpoints_are_loaded_by_their_folder(shared_reference: Path, name: str) -> None:
    model = load_model(shared_reference / name)
    stored = load_file(shared_reference / name / "model.safetensors")
    assert all(torch.equal(model.state_dict()[key], value) for key, value in stored.items())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no model folder called nope"):
        import_model(tmp_path / "nope")
