"""The headless tour is the main job, done by the real window and the real engine: pictures and a report come out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from brainlm_engine.api.runfile import find_engine


def pixels(path: Path) -> np.ndarray:
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


@pytest.mark.timeout(600)
def test_tour_leaves_pictures_and_a_report(tmp_path: Path, brainlm_home: Path) -> None:
    out = tmp_path / "my tour"
    command = [sys.executable, "-m", "app", "--tour", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=550)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr

    report = (out / "report.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="([^"]+)"', report)
    assert len(pictures) >= 9
    assert {"perturb-dark.png", "compare-dark.png", "sweep-dark.png", "steer-dark.png"} <= set(pictures)
    assert "data:image/png" in (out / "perturbation.html").read_text(encoding="utf-8")
    sizes = {pixels(out / name).shape[:2] for name in pictures}
    assert sizes == {(800, 1280), (1440, 2560)}
    for name in pictures:
        assert pixels(out / name).std() > 5, f"{name} is one colour"
    dark, light = pixels(out / "view-dark.png").mean(), pixels(out / "view-light.png").mean()
    assert light > dark + 50
    assert "For research use only" in report
    assert "simulated" in report
    assert "<td>random: 75% of the patches at random, seed 0</td>" in report
    assert re.search(r"<td>Model</td><td class=\"number\">0?\.?\d", report)
    assert "nan" not in re.sub(r"[a-z]nan|nan[a-z]", "", report.lower())
    assert sum(path.stat().st_size for path in out.iterdir()) < 12e6
    assert not (brainlm_home / "settings").exists()  # the tour leaves this person's settings alone


def test_tour_into_a_file_is_one_sentence(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.write_text("mine")
    command = [sys.executable, "-m", "app", "--tour", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200, env=dict(os.environ))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Give another folder" in done.stderr
    assert target.read_text() == "mine"


@pytest.fixture(autouse=True)
def no_engine_left() -> object:
    """The engine that the tour started is stopped when the test is over."""
    yield
    running = find_engine()
    if running is not None:
        stop = [sys.executable, "-m", "brainlm_engine", "serve", "--stop"]
        subprocess.run(stop, check=True, capture_output=True, timeout=60)
