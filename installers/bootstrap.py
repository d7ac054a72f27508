#!/usr/bin/env python3
"""Two commands for a fresh machine with Python 3.11 or newer, safe to repeat.

    python3 installers/bootstrap.py run      install what is missing, then open the demo case
    python3 installers/bootstrap.py test     install what is missing, then run the tests

``run`` without a display runs the same tour headless and says where the pictures and the report are. Everything goes
into ``.venv`` beside this folder; system libraries are installed only on Debian-like systems as root, elsewhere the
exact command is printed. Only the standard library is used here.
"""

from __future__ import annotations

import argparse
import ctypes.util
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "installers" / "requirements.lock"
STAMP = VENV / "brainlm-installed"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

# what Qt and VTK load at run time: library -> Debian package
LIBRARIES = {
    "GL": "libgl1",
    "EGL": "libegl1",
    "glib-2.0": "libglib2.0-0",
    "fontconfig": "libfontconfig1",
    "dbus-1": "libdbus-1-3",
    "xkbcommon": "libxkbcommon0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-shape": "libxcb-shape0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
}


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def fail(line: str) -> None:
    """Stop with one sentence."""
    say(line)
    raise SystemExit(2)


def has_display() -> bool:
    """Tell whether a window can be shown."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def python_in_venv() -> Path:
    """Return the interpreter of ``.venv``."""
    return VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def missing_packages() -> list[str]:
    """Return the Debian packages whose library or program is not here."""
    if not sys.platform.startswith("linux"):
        return []
    missing = [package for library, package in LIBRARIES.items() if not ctypes.util.find_library(library)]
    if not has_display() and not shutil.which("Xvfb"):
        missing += ["xvfb", "xauth"]
    if not shutil.which("fc-list"):
        missing += ["fontconfig"]
    elif not subprocess.run(["fc-list"], capture_output=True, check=False).stdout.strip():
        missing += ["fonts-dejavu-core"]
    return missing


def system_libraries() -> None:
    """Install missing system libraries (Debian as root) or say exactly what to install."""
    missing = missing_packages()
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        say(f"Installing system libraries: {' '.join(missing)}")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False)
        done = subprocess.run([*command, "-qq"], env=environment, check=False, stdout=subprocess.DEVNULL)
        if done.returncode == 0:
            return
        say("The system libraries could not be installed.")
    if shutil.which("apt-get"):
        say("Some system libraries are missing. Install them with:\n  sudo " + " ".join(command))
    else:
        say("Some system libraries are missing. On Debian they are called: " + " ".join(missing))
    say("Going on without them; the window may not open.")


def nvidia() -> bool:
    """Tell whether an NVIDIA driver answers."""
    tool = shutil.which("nvidia-smi")
    return bool(tool) and subprocess.run([str(tool)], capture_output=True, check=False).returncode == 0


def torch_options() -> list[str]:
    """Return pip options that lead to the CPU build of torch where there is no NVIDIA card to use."""
    if not sys.platform.startswith("linux") or nvidia():
        return []
    try:
        with urllib.request.urlopen(f"{TORCH_CPU_INDEX}/torch/", timeout=4):  # noqa: S310  (a constant https address)
            return ["--extra-index-url", TORCH_CPU_INDEX]
    except (urllib.error.URLError, OSError):
        return []


def fingerprint() -> str:
    """Return what the installation depends on, as a hash."""
    parts = [
        (ROOT / "pyproject.toml").read_bytes(),
        LOCK.read_bytes(),
        platform.python_version().encode(),
        str(ROOT).encode(),
    ]
    return hashlib.sha256(b"|".join(parts)).hexdigest()


def install() -> None:
    """Create ``.venv`` and install the project with its locked dependencies, unless that is done already."""
    if STAMP.exists() and STAMP.read_text() == fingerprint() and python_in_venv().exists():
        return
    if not python_in_venv().exists():
        say(f"Creating {VENV}")
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    say("Installing BrainLM Studio and its dependencies (the first time takes a few minutes) …")
    command = [
        str(python_in_venv()),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "-q",
    ]
    command += ["-c", str(LOCK), *torch_options(), "-e", f"{ROOT}[dev]"]
    if subprocess.run(command, check=False).returncode:
        fail("The dependencies could not be installed. Read pip's message above; the same command can be repeated.")
    STAMP.write_text(fingerprint())


def under_display(command: list[str]) -> list[str]:
    """Run a command in a virtual X display when there is no real one."""
    if has_display() or not shutil.which("xvfb-run"):
        return command
    return ["xvfb-run", "-a", "-s", "-screen 0 2560x1440x24 +extension GLX", *command]


def run(extra: list[str]) -> int:
    """Open the demo case in the window, or run the tour without a display."""
    python = str(python_in_venv())
    if has_display():
        return subprocess.run([python, "-m", "app", *(extra or ["--demo"])], cwd=ROOT, check=False).returncode
    out = ROOT / "tour"
    say(f"No display here: running the tour headless. Pictures and report: {out}")
    command = under_display([python, "-m", "app", "--tour", str(out), *extra])
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    report = out / "report.html"
    if code or not report.exists():  # else the tour has just said where the report is
        say("The tour did not finish; its messages are above.")
    return code


def test(extra: list[str]) -> int:
    """Run the tests; those that need the shared folder of real recordings run in CI.

    Tests of single modules run in two processes; those with an engine or a window of their own one after the other.
    """
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    if shutil.which("xvfb-run") and not has_display():
        environment |= {"QT_QPA_PLATFORM": "xcb"}
    elif not has_display():
        environment |= {"QT_QPA_PLATFORM": "offscreen"}
    python = [str(python_in_venv()), "-m", "pytest"]
    if extra:
        return subprocess.run(under_display([*python, *extra]), cwd=ROOT, env=environment, check=False).returncode
    usual = ["-q", "-m", "not shared_data"]
    apart = [*usual, "-n", "2", "--dist", "loadfile", "tests/unit"]
    one_by_one = [*usual, "--ignore", "tests/unit", "tests"]
    codes = [
        subprocess.run(under_display([*python, *part]), cwd=ROOT, env=environment, check=False).returncode
        for part in (apart, one_by_one)
    ]
    return next((code for code in codes if code), 0)


def main() -> int:
    """Parse the command and do it."""
    if sys.version_info < (3, 11):  # noqa: UP036
        fail(f"BrainLM Studio needs Python 3.11 or newer; this is {platform.python_version()}.")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "test", "install"))
    args, extra = parser.parse_known_args()
    system_libraries()
    install()
    return {"run": run, "test": test, "install": lambda _: 0}[args.what](extra)


if __name__ == "__main__":
    sys.exit(main())
