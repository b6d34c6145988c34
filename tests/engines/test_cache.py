import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from realtime_bokeh import weights
from realtime_bokeh.engines import cache
from realtime_bokeh.errors import EngineError
from realtime_bokeh.sizes import Size

CONTENT = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALTIME_BOKEH_CACHE", str(tmp_path))


@pytest.fixture
def key() -> cache.Key:
    model = weights.find("lite")
    return cache.make_key(
        model, Size(720, 1280), Size(144, 256), "A GPU (8.9)", "tensorrt 10.1", "c 1"
    )


def test_what_is_stored_is_loaded(key: cache.Key) -> None:
    assert cache.load(key) is None
    path = cache.store(key, CONTENT)
    assert cache.load(key) == CONTENT
    assert path.name.startswith("lite-1280x720-256x144-f16-")
    (entry,) = cache.entries()
    assert (entry.path, entry.key) == (path, key)
    assert cache.is_current(key)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "0"}, {"network": "0"}, {"frame": Size(1080, 1920)},
        {"inference": Size(720, 1280)},
        {"precision": "f32"}, {"gpu": "A GPU (9.0)"}, {"runtime": "tensorrt 10.2"},
        {"compiler": "c 2"}, {"holds": "kernels"}, {"model": "dmshn"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_anything_else_is_not_found(key: cache.Key, change: dict[str, object]) -> None:
    cache.store(key, CONTENT)
    assert cache.load(replace(key, **change)) is None  # type: ignore[arg-type]
    assert cache.load(key) == CONTENT


def test_a_new_version_replaces_the_old_one_and_nothing_else(key: cache.Key) -> None:
    others = [replace(key, gpu="Another GPU (8.6)"), replace(key, frame=Size(1080, 1920))]
    for old in (key, *others):
        cache.store(old, CONTENT)
    new = replace(key, runtime="tensorrt 10.2", weights="0")
    cache.store(new, CONTENT)
    assert {entry.key for entry in cache.entries()} == {new, *others}
    assert not cache.is_current(new)


def test_an_engine_of_a_damaged_or_removed_model_is_old(
    key: cache.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALTIME_BOKEH_DATA", str(tmp_path))
    mine = replace(key, model="mine")
    assert not cache.is_current(mine)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert not cache.is_current(mine)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other header", "garbage", "longer"])
def test_a_damaged_file_is_removed_and_never_loaded(key: cache.Key, damage: str) -> None:
    path = cache.store(key, CONTENT)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "cut": whole[:-1],
            "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "empty": b"",
            "other header": whole.replace(b'"model": "lite"', b'"model": "late"'),
            "garbage": os.urandom(5000),
            "longer": whole + b"x",
        }[damage]
    )
    assert cache.load(key) is None
    assert not path.exists()
    cache.store(key, CONTENT)
    assert cache.load(key) == CONTENT


def test_headers_of_every_kind_are_survived(key: cache.Key) -> None:
    path = cache.store(key, CONTENT)
    magic = path.read_bytes()[:24]
    for header in (b"", b"[]", b"{}", b'{"key": 1}', b'{"key": {"frame": 1}}', b"\xff"):
        path.write_bytes(magic + len(header).to_bytes(4, "little") + header)
        assert [entry.key for entry in cache.entries()] == [None]
    assert cache.clear() == 1


def test_clear_takes_unfinished_files_too(key: cache.Key, tmp_path: Path) -> None:
    path = cache.store(key, CONTENT)
    path.with_name(f".{path.name[:50]}.123.part").write_bytes(b"half")
    assert cache.clear() == 2
    assert list((tmp_path / "engines").iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(
    key: cache.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("REALTIME_BOKEH_CACHE", str(tmp_path / "file"))
    with pytest.raises(EngineError, match="REALTIME_BOKEH_CACHE"):
        cache.store(key, CONTENT)


WRITER = """
import os, sys, time
from realtime_bokeh import weights
from realtime_bokeh.engines import cache
from realtime_bokeh.sizes import Size
model = weights.find("lite")
key = cache.make_key(model, Size(720, 1280), Size(144, 256), "A GPU (8.9)", "tensorrt 10.1", "c 1")
def halt(*arguments):
    print("ready", flush=True)
    time.sleep(60)
if sys.argv[2] in ("fsync", "replace"):
    setattr(os, sys.argv[2], halt)
else:
    print("ready", flush=True)
while True:
    cache.store(key, bytes(range(256)) * int(sys.argv[1]))
"""


@pytest.mark.parametrize("moment", ["fsync", "replace", "0", "0.004", "0.011", "0.023", "0.04"])
@pytest.mark.parametrize("before", [False, True])
def test_kill_at_any_moment_leaves_what_was_whole(
    key: cache.Key, moment: str, before: bool
) -> None:
    size = 40_000  # 10 MB: most of the time is spent in writing
    if before:
        cache.store(key, CONTENT)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(size), moment], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        if moment not in ("fsync", "replace"):
            time.sleep(float(moment))
        writer.send_signal(signal.SIGKILL)
    there = bool(list(cache.folder().glob("*.engine")))
    content = cache.load(key)
    assert (content is not None) == there
    if moment in ("fsync", "replace"):
        assert content == (CONTENT if before else None)
    assert content in (None, CONTENT, bytes(range(256)) * size)
    cache.store(key, CONTENT)
    assert cache.load(key) == CONTENT


def _store_often(key: cache.Key, number: int) -> None:
    for _ in range(60):
        cache.store(key, bytes([number]) * 200_000)


def test_two_processes_at_once(key: cache.Key) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_store_often, args=(key, number)) for number in (1, 2)]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        content = cache.load(key)
        assert content is None or (len(content) == 200_000 and len(set(content)) == 1)
        seen.add(content and content[0])
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen - {None} <= {1, 2}
    assert cache.load(key) is not None
    assert len(list(cache.folder().iterdir())) == 1
