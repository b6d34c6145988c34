"""Compiled engines in the user's cache folder: whole or not there, and rebuilt when stale.

A file is a magic line, the length and the text of a JSON header, and what was compiled. The header
holds the key, that is everything an engine depends on, and the checksum of the rest. A file's name
ends in a digest of its key, so what was compiled for other weights, sizes or versions is not found.
"""

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from realtime_bokeh.errors import EngineError, SinkError, UsageError, WeightsError
from realtime_bokeh.files import reason, write_atomically
from realtime_bokeh.sizes import Size
from realtime_bokeh.weights import WEIGHTS, Model, find

ENDING = ".engine"
_MAGIC = b"realtime-bokeh engine 1\n"
_LONGEST_HEADER = 1 << 16
PORTABLE = "GeForce and RTX, 8.0 or later"
PORTABLE_FROM_TURING = "GeForce and RTX, 7.5 or later"


@dataclass(frozen=True)
class Key:
    """What a compiled engine depends on.

    model, weights: the name and the checksum of its weights. network: of the code that is compiled.
    frame, inference: the sizes of frames and of the network's content.
    precision: f16.
    gpu: the GPU's name and compute capability, or PORTABLE.
    runtime, compiler: packages and their versions.
    holds: "engine", or "kernels" that TensorRT-RTX compiled for a GPU from a portable engine.
    """

    model: str
    weights: str
    network: str
    frame: Size
    inference: Size
    precision: str
    gpu: str
    runtime: str
    compiler: str
    holds: str = "engine"

    @property
    def file_name(self) -> str:
        return f"{self.stem}-{_digest(json.dumps(asdict(self)).encode())}{ENDING}"

    @property
    def stem(self) -> str:
        """The readable part of the name."""
        portable = "-portable" if self.gpu in (PORTABLE, PORTABLE_FROM_TURING) else ""
        return f"{self.model}-{self.frame}-{self.inference}-{self.precision}{portable}"

    def replaces(self, other: "Key") -> bool:
        """Whether another is the same engine, of other weights or versions."""

        def same(key: Key) -> tuple[object, ...]:
            package = key.runtime.split()[0]
            return key.stem, key.gpu, package, key.holds

        return self != other and same(self) == same(other)


@dataclass(frozen=True)
class Entry:
    """A file in the cache; `key` is None when it is damaged."""

    path: Path
    key: Key | None
    size: int


def make_key(
    model: Model, frame: Size, inference: Size, gpu: str, runtime: str, compiler: str
) -> Key:
    """The key of an engine in f16 of the model's weights and the network's code as they are now."""
    return Key(
        model.name, model.sha256[WEIGHTS], network_digest(), frame, inference, "f16", gpu,
        runtime, compiler,
    )  # fmt: skip


def is_current(key: Key) -> bool:
    """Whether the model's weights and the network's code are still those of a key."""
    try:
        weights = find(key.model).sha256[WEIGHTS]
    except (UsageError, WeightsError):
        return False
    return (weights, network_digest()) == (key.weights, key.network)


@cache
def network_digest() -> str:
    """A digest of the source code of all that is compiled and of what has it compiled: 16 hex
    digits."""
    package = Path(__file__).parents[1]
    sources = sorted((package / "network").glob("*.py"))
    sources += [package / "export" / "onnx.py", package / "engines" / "compile.py"]
    return _digest(b"".join(path.read_bytes() for path in sources))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def folder() -> Path:
    """Where engines are kept; REALTIME_BOKEH_CACHE overrides the system's place."""
    import platformdirs  # here: what has no cache need not have it

    chosen = os.environ.get("REALTIME_BOKEH_CACHE")
    return (
        Path(chosen or platformdirs.user_cache_dir("realtime-bokeh", appauthor=False)) / "engines"
    )


def store(key: Key, content: bytes, into: Path | None = None) -> Path:
    """Keep what was compiled; what it replaces is removed.

    Args:
        into: a folder other than the cache.

    Raises:
        EngineError: when it cannot be written; nothing is left behind then.
    """
    place = into or folder()
    path = place / key.file_name
    header = json.dumps(
        {"key": asdict(key), "sha256": hashlib.sha256(content).hexdigest()}
    ).encode()
    try:
        place.mkdir(parents=True, exist_ok=True)
        write_atomically(path, _MAGIC + len(header).to_bytes(4, "little") + header + content)
    except OSError as error:
        raise EngineError(
            f"{place} cannot be made ({reason(error)}); set REALTIME_BOKEH_CACHE"
        ) from error
    except SinkError as error:
        raise EngineError(f"{error}; make room or set REALTIME_BOKEH_CACHE") from error
    for entry in entries(place):
        if entry.key is not None and key.replaces(entry.key):
            _remove(entry.path)
    return path


def load(key: Key) -> bytes | None:
    """What was compiled for a key; None when there is nothing, or it is damaged and now removed."""
    path = folder() / key.file_name
    try:
        content = path.read_bytes()
    except OSError:
        return None
    header = _read_header(content)
    if header is not None and header.key == key:
        payload = content[header.length :]
        if hashlib.sha256(payload).hexdigest() == header.sha256:
            return payload
    _remove(path)
    return None


class _Header(NamedTuple):
    key: Key
    sha256: str  # of what follows
    length: int  # of all that comes before it


def _read_header(content: bytes) -> _Header | None:
    """The header at the beginning of a cached file; None when the file is no such or damaged."""
    start = len(_MAGIC) + 4
    if content[: len(_MAGIC)] != _MAGIC:
        return None
    end = start + int.from_bytes(content[len(_MAGIC) : start], "little")
    try:
        header = json.loads(content[start:end])
        key = header["key"]
        sizes = {name: Size(*key[name]) for name in ("frame", "inference")}
        return _Header(Key(**key | sizes), header["sha256"], end)
    except (ValueError, TypeError, KeyError):
        return None


def entries(place: Path | None = None) -> list[Entry]:
    """Every file in the cache (or another folder); only headers are read."""
    found = []
    for path in sorted((place or folder()).glob(f"*{ENDING}")):
        with contextlib.suppress(OSError):  # another process may just have removed it
            with path.open("rb") as file:
                header = _read_header(file.read(_LONGEST_HEADER))
            found.append(Entry(path, header and header.key, path.stat().st_size))
    return found


def clear() -> int:
    """Remove everything, unfinished files too; gives the number of files."""
    files = [*folder().glob(f"*{ENDING}"), *folder().glob(".*.part")]
    for path in files:
        _remove(path)
    return len(files)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
