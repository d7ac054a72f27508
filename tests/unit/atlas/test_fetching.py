"""Fetching, against a real web server on this computer."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled, EngineError
from brainlm_engine.atlas import fetch_atlas, list_atlases, load_atlas
from brainlm_engine.atlas.catalogue import OFFERS
from brainlm_engine.atlas.download import download
from brainlm_engine.atlas.nilearn_download import schaefer_row
from brainlm_engine.atlas.registry import added_folder, installed_ids


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; a file whose name begins with 'cut' breaks off in the middle."""

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        content = source.read()
        if "/cut" in self.path:
            content = content[: len(content) // 2]
        outputfile.write(content)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder and the address it is served under."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def sum_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_good_file(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    content = bytes(range(256)) * 2000
    (folder / "a file+.bin").write_bytes(content)
    seen: list[float] = []

    class Watch:
        def __call__(self, fraction: float, stage: str = "") -> None:
            seen.append(fraction)

        def log(self, line: str) -> None: ...

    download(url + "a%20file%2B.bin", tmp_path / "out" / "got.bin", sum_of(content), Watch())
    assert (tmp_path / "out" / "got.bin").read_bytes() == content
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def failed(text: str, url: str, out: Path, sha256: str = "0" * 64) -> None:
    with pytest.raises(EngineError, match=text) as caught:
        download(url, out / "got.bin", sha256, timeout_s=2)
    assert caught.value.next_step
    assert not list(out.iterdir())


def test_whatever_goes_wrong_leaves_nothing(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    out = tmp_path / "out"
    out.mkdir()
    (folder / "good.bin").write_bytes(b"x" * 100_000)
    (folder / "cut.bin").write_bytes(b"x" * 100_000)
    failed("checksum differs", url + "good.bin", out)
    failed("broke off after 50000 of 100000", url + "cut.bin", out)
    failed(r"HTTP 404", url + "missing.bin", out)
    failed("cannot be reached", "http://127.0.0.1:9/x.bin", out)
    failed("cannot be reached", "http://nobody.invalid/x.bin", out)
    failed("no web address", "file:///etc/hostname", out)


def test_cancelled_download_leaves_nothing(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    (folder / "good.bin").write_bytes(b"x" * 1_000_000)

    class Stop:
        def __call__(self, fraction: float, stage: str = "") -> None:
            if fraction > 0.3:
                raise Cancelled("Stopped.")

        def log(self, line: str) -> None: ...

    (tmp_path / "out").mkdir()
    with pytest.raises(Cancelled):
        download(url + "good.bin", tmp_path / "out" / "got.bin", "", Stop())
    assert not list((tmp_path / "out").iterdir())


def nothing_left() -> None:
    assert installed_ids() == ["mni424"]
    assert not added_folder().is_dir() or not [path for path in added_folder().iterdir() if path.is_dir()]


def test_unknown_or_unreachable(site: tuple[Path, str]) -> None:
    with pytest.raises(BadInput, match="No atlas “brodmann”"):
        fetch_atlas("brodmann")
    with pytest.raises(EngineError, match="HTTP 404"):
        fetch_atlas("a424", base_url=site[1])
    nothing_left()


def test_offers_are_listed_with_their_licences() -> None:
    offered = [info for info in list_atlases() if not info.installed]
    assert {info.atlas_id for info in offered} == set(OFFERS)
    assert all(info.licence and info.citation and info.n_parcels for info in offered)


@pytest.fixture
def schaefer(site: tuple[Path, str]) -> tuple[Path, str]:
    """The server gives out files named and laid out like Schaefer's, made from MNI-424."""
    own = load_atlas()
    labels = np.where(own.labels <= 100, own.labels, 0).astype(np.int16)
    stem = "Schaefer2018_100Parcels_7Networks_order"
    nib.save(nib.Nifti1Image(labels, own.affine), site[0] / f"{stem}_FSLMNI152_2mm.nii.gz")
    nets = ("Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default")
    lines = [f"{i}\t7Networks_LH_{nets[i % 7]}_{i}\t{i}\t20\t30\t0\n" for i in range(1, 101)]
    (site[0] / f"{stem}.txt").write_text("".join(lines))
    return site


def test_nilearn_fetches_and_first_sums_are_demanded_again(schaefer: tuple[Path, str]) -> None:
    folder, url = schaefer
    atlas = fetch_atlas("schaefer-100", base_url=url)
    assert atlas.n_parcels == 100
    assert atlas.names[0] == "LH_SomMot_1"
    assert atlas.networks[:3] == ("Somatomotor", "DorsalAttention", "SalienceVentralAttention")
    assert atlas.licence.startswith("MIT")
    card = json.loads((added_folder() / "schaefer-100" / "card.json").read_text())
    assert card["checked"] == "trusted on first download"
    assert len(card["downloads"]) == 2
    assert fetch_atlas("schaefer-100", base_url="http://127.0.0.1:9/") is atlas  # already here: nothing is asked

    another = added_folder() / "schaefer-100" / "card.json"  # as one that an earlier version let take this id
    another.write_text(json.dumps({key: value for key, value in card.items() if key not in ("checked", "downloads")}))
    with pytest.raises(BadInput, match="was not fetched but added from other files"):
        fetch_atlas("schaefer-100", base_url=url)

    shutil.rmtree(added_folder() / "schaefer-100")
    table = folder / "Schaefer2018_100Parcels_7Networks_order.txt"
    table.write_text(table.read_text().replace("LH_Vis_7", "LH_Vis_8"))
    with pytest.raises(EngineError, match="checksum differs"):
        fetch_atlas("schaefer-100", base_url=url)
    nothing_left()


def test_nilearn_without_a_network(site: tuple[Path, str]) -> None:
    with pytest.raises(EngineError, match="Schaefer 2018, 100 parcels could not be downloaded") as caught:
        fetch_atlas("schaefer-100", base_url="http://127.0.0.1:9/")
    assert caught.value.details
    nothing_left()


def test_nilearn_is_stopped_on_request(schaefer: tuple[Path, str]) -> None:
    class Stop:
        def __call__(self, fraction: float, stage: str = "") -> None:
            raise Cancelled("Stopped.")

        def log(self, line: str) -> None: ...

    with pytest.raises(Cancelled):
        fetch_atlas("schaefer-100", Stop(), schaefer[1])
    nothing_left()


def test_names_of_schaefer() -> None:
    assert schaefer_row(3, "7Networks_RH_Cont_PFCl_3").network == "Frontoparietal"
    assert schaefer_row(3, "odd").network == ""


@pytest.mark.shared_data
def test_a424_from_a_mirror(site: tuple[Path, str], shared_data: Path) -> None:
    for name in ("A424+2mm.nii.gz", "A424_Coordinates.dat", "A424.dlabel.nii"):
        shutil.copy(shared_data / "atlases" / name, site[0] / name)
    atlas = fetch_atlas("a424", base_url=site[1])
    assert atlas.n_parcels == 424
    assert atlas.names[0] == "R_V1_ROI"
    assert "Apache" in atlas.licence
    assert json.loads((added_folder() / "a424" / "card.json").read_text())["checked"] == "published sums"
