"""Latest wins; small files that may be damaged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.services import storage
from app.services.latest import Latest
from app.services.preferences import load_preferences, load_recent, save_preferences, save_recent, with_recent
from app.state.preferences import Preferences


def test_only_the_newest_wish_is_sent_after_the_one_on_its_way() -> None:
    asked: list[int] = []
    got: list[int] = []

    async def ask(question: int) -> int:
        asked.append(question)
        await asyncio.sleep(0.01)
        return question * 10

    async def story() -> None:
        latest: Latest[int, int] = Latest(ask, lambda _, answer: got.append(answer), lambda error: None)
        for number in range(20):
            latest.wish(number)
            await asyncio.sleep(0)
        await latest.settled()
        assert not latest.busy

    asyncio.run(story())
    assert asked == [0, 19]
    assert got == [0, 190]


def test_a_failed_request_does_not_stop_the_next() -> None:
    failures: list[Exception] = []
    got: list[int] = []

    async def ask(question: int) -> int:
        if question == 1:
            raise ValueError("no")
        return question

    async def story() -> None:
        latest: Latest[int, int] = Latest(ask, lambda _, answer: got.append(answer), failures.append)
        latest.wish(1)
        await latest.settled()
        latest.wish(2)
        await latest.settled()

    asyncio.run(story())
    assert len(failures) == 1
    assert got == [2]


def test_preferences_come_back(brainlm_home: Path) -> None:
    save_preferences(Preferences(theme="light", frame_limit=20))
    assert load_preferences().theme == "light"
    assert load_preferences().frame_limit == 20


def test_one_bad_preference_costs_only_itself(brainlm_home: Path) -> None:
    storage.write(storage.PREFERENCES, {"theme": "purple", "frame_limit": 25, "invented": 1})
    found = load_preferences()
    assert (found.theme, found.frame_limit) == ("dark", 25)


@pytest.mark.parametrize("content", [b"{ not json", b"\xff\xfe\x00", b""])
def test_a_damaged_file_is_set_aside(brainlm_home: Path, content: bytes) -> None:
    folder = storage.settings_dir()
    folder.mkdir(parents=True)
    (folder / "preferences.json").write_bytes(content)
    assert load_preferences().theme == "dark"
    assert (folder / "preferences.damaged.json").exists()
    assert not (folder / "preferences.json").exists()


def test_recent_files_are_few_and_unique(brainlm_home: Path) -> None:
    files: tuple[str, ...] = ()
    for number in (*range(20), 3):
        files = with_recent(files, f"/scans/{number}.nii")
    save_recent(files)
    assert load_recent()[0].endswith("3.nii")
    assert len(load_recent()) == len(set(load_recent())) == 12


def test_a_disk_that_refuses_is_no_crash(brainlm_home: Path) -> None:
    brainlm_home.mkdir(parents=True, exist_ok=True)
    (brainlm_home / "settings").write_text("a file where the folder should be")
    assert storage.write(storage.PREFERENCES, {"theme": "light"}) is False
    assert storage.read(storage.PREFERENCES) == {}
