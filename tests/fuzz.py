"""Damaged files of twenty kinds through `render`: it may refuse them, and nothing else.

    python -m tests.fuzz --minutes 60

What fails is kept, with its seed, in out/fuzz. `LONG=1 pytest tests/test_fuzz.py` runs five
minutes.
"""

import argparse
import contextlib
import io
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image as Pillow

from tests import clips

SECONDS, MEGABYTES = 60, 2000  # that a rendering of such a small file may take
_KEPT = Path("out/fuzz")
_VIDEOS = {
    "a.mp4": ("libx264", "aac"), "b.mov": ("libx264", "pcm_s16le"), "c.mkv": ("libx264", "aac"),
    "d.webm": ("libvpx-vp9", "libopus"), "e.avi": ("mpeg4", "libmp3lame"),
    "f.ts": ("libx264", "aac"), "g.mpg": ("mpeg2video", "mp2"), "h.flv": ("libx264", "aac"),
    "i.wmv": ("wmv2", "wmav2"),
    "j.3gp": ("libx264", "aac"), "k.mxf": ("mpeg2video", "pcm_s16le"), "l.nut": ("libx265", "ac3"),
    "m.ogv": ("libvpx", "libopus"), "n.mov": ("qtrle", "aac"),
}  # fmt: skip
_PHOTOS = {
    "o.jpg": "JPEG", "p.png": "PNG", "q.webp": "WEBP", "r.heic": "HEIF", "s.avif": "AVIF",
    "t.tiff": "TIFF", "u.bmp": "BMP", "v.gif": "GIF",
}  # fmt: skip


def originals(folder: Path) -> list[Path]:
    """A whole file of each kind."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    image = np.kron(noise, np.ones((4, 4, 1), np.uint8))
    files = []
    for name, (codec, audio) in _VIDEOS.items():
        rate = 25 if codec == "mpeg2video" else 24
        log = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        files.append(
            clips.make(
                folder / name, [i / rate for i in range(15)], image=image, codec=codec, rate=rate,
                audio=[audio], options={"b": "1000000"} | log,
                pix_fmt="rgb24" if codec == "qtrle" else "yuv420p",
            )
        )  # fmt: skip
    exif = Pillow.Exif()
    exif[271] = "Maker"
    for name, kind in _PHOTOS.items():
        options = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "HEIF") else {}
        Pillow.fromarray(image).save(folder / name, kind, **options)
        files.append(folder / name)
    return files


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A file's bytes, changed at a few places, mostly near its ends where formats keep their
    headers and tables; sometimes cut, or with a part twice or missing."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16, 64))):
        reach = chance.choice((64, 512, len(data), len(data)))
        place = min(chance.randrange(reach), len(data) - 1)
        if chance.random() < 0.3:
            place = len(data) - 1 - place
        kind = chance.randrange(4)
        if kind == 0:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            data[place] = chance.randrange(256)
        else:
            length = min(4, len(data) - place)
            data[place : place + length] = chance.randbytes(length)
    shape = chance.randrange(12)
    begin, end = sorted((chance.randrange(len(data)), chance.randrange(len(data))))
    if shape == 0:
        del data[end:]
    elif shape == 1:
        del data[begin:end]
    elif shape == 2:
        data[end:end] = data[begin:end]
    return bytes(data)


@dataclass(frozen=True)
class Ending:
    """How a rendering ended: exit status, or the signal's number below 0; what it said."""

    status: int
    said: str
    seconds: float
    megabytes: float

    def fault(self, target: Path) -> str:
        """What is wrong with it; nothing if it is as it should be."""
        if self.status not in (0, 1, 2):
            return f"ended by {self.status}"
        if self.seconds > SECONDS:
            return f"took {self.seconds:.0f} s"
        if self.megabytes > MEGABYTES:
            return f"took {self.megabytes:.0f} MB"
        lines = [line for line in self.said.splitlines() if line.startswith("realtime-bokeh:")]
        if "internal error" in self.said or "Traceback" in self.said:
            return "was not explained"
        if len(lines) != (self.status != 0):
            return "was not explained by one sentence"
        if target.exists() != (self.status == 0):
            return "left a file" if self.status else "left nothing"
        left = [path.name for path in target.parent.iterdir() if path.name.startswith(".")]
        if left:
            return f"left {left[0]}"
        return _unplayable(target) if self.status == 0 else ""


def _unplayable(target: Path) -> str:
    try:
        if target.suffix != ".mkv":
            Pillow.open(target).load()
            return ""
        with av.open(str(target)) as container:
            return "" if sum(1 for _ in container.decode(video=0)) else "has no frames"
    except Exception as error:
        return f"cannot be played ({error})"


def render(source: Path, target: Path) -> Ending:
    """Run the program in a process of its own, with an engine that changes nothing."""
    log = target.with_suffix(".log")
    log.touch()
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_the_program(source, target, log)
    while True:
        found, status, usage = os.wait4(child, os.WNOHANG)
        if found:
            break
        if time.monotonic() - begin > SECONDS + 5:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    code = os.waitstatus_to_exitcode(status)
    said = log.read_text(errors="replace")
    log.unlink()
    return Ending(code, said, time.monotonic() - begin, usage.ru_maxrss / 1024)


def _be_the_program(source: Path, target: Path, log: Path) -> None:
    from realtime_bokeh.app import main, parts
    from tests.fakes import UnchangedEngine

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0), write_through=True)
    sys.argv = ["realtime-bokeh", "render", str(source), str(target)]
    setattr(parts, "open_engine", lambda *_: UnchangedEngine())  # noqa: B010 - as tests do
    status = 99
    try:
        main.main()
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        os._exit(status)


def run(folder: Path, minutes: float, seed: int, tell: Callable[[str], None]) -> list[str]:
    """Damage and render until the time is over; the faults that were found."""
    files = originals(folder)
    contents = {file: file.read_bytes() for file in files}
    faults: list[str] = []
    statuses: Counter[tuple[str, int]] = Counter()
    for number, file in _rounds(files, minutes):
        chance = random.Random(f"{seed} {number}")
        source = folder / "in" / file.name
        target = folder / "out" / ("out.mkv" if file.name in _VIDEOS else "out.png")
        source.parent.mkdir(exist_ok=True)
        target.parent.mkdir(exist_ok=True)
        source.write_bytes(damaged(contents[file], chance))
        ending = render(source, target)
        statuses[file.suffix, ending.status] += 1
        fault = ending.fault(target)
        if fault:
            _KEPT.mkdir(parents=True, exist_ok=True)
            kept = _KEPT / f"{seed}-{number}{file.suffix}"
            kept.write_bytes(source.read_bytes())
            faults.append(f"{kept}: {fault}: {ending.said.strip()[-300:]}")
            tell(faults[-1])
        for path in target.parent.iterdir():
            path.unlink()
    for (suffix, status), count in sorted(statuses.items()):
        tell(f"{suffix}: {count} ended with {status}")
    return faults


def _rounds(files: list[Path], minutes: float) -> Iterator[tuple[int, Path]]:
    end = time.monotonic() + 60 * minutes
    number = 0
    while time.monotonic() < end:
        yield number, files[number % len(files)]
        number += 1


def main() -> None:
    """Run from the command line."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        faults = run(Path(folder), arguments.minutes, arguments.seed, print)
        print(f"{len(faults)} faults")
        sys.exit(bool(faults))


if __name__ == "__main__":
    main()
