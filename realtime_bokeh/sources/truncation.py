"""Whether a video file is there to its end, told from the lengths that it states itself.

FFmpeg reads a copy or a download that broke off as a shorter video, without a word.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_EBML = b"\x1a\x45\xdf\xa3"
_NOT_KNOWN = 2**31 - 1  # as an AVI's length: nobody could go back and fill it in
_BOXES = {b"ftyp", b"free", b"mdat", b"moov", b"moof", b"skip", b"wide"}


def stated_length(path: Path) -> int:
    """How many bytes an MP4, MOV, Matroska, WebM or AVI file says it has; 0 if it does not say."""
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0)
        if head[4:8] in _BOXES:
            return max(_box_ends(file), default=0)
        if head.startswith(_EBML):
            return _segment_end(file)
        if head.startswith(b"RIFF") and head.endswith(b"AVI "):
            length = int.from_bytes(head[4:8], "little")
            return 8 + length if length < _NOT_KNOWN else 0
    return 0


def _box_ends(file: BinaryIO) -> Iterator[int]:
    """Where an MP4 or MOV file's boxes end, up to one that is not known: some append rubbish."""
    position = 0
    while (head := file.read(16))[4:8] in _BOXES:
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0 means as far as the file goes
            return
        position += size
        yield position
        file.seek(position)


def _segment_end(file: BinaryIO) -> int:
    """Where a Matroska or WebM file's second and last element ends; 0 if it was left open."""
    end = 0
    for _ in range(2):
        file.seek(end + 4)  # both names have 4 bytes
        first = int.from_bytes(file.read(1), "big")
        if not first:
            return 0
        extra = 8 - first.bit_length()  # bytes of the length that follow its first
        mark = 1 << 7 * (extra + 1)  # all below it set means "not known"
        length = (first << 8 * extra | int.from_bytes(file.read(extra), "big")) - mark
        if length == mark - 1:
            return 0
        end = file.tell() + length
    return end
