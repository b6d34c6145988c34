"""What the preview's window shows beside a picture."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How the window's picture looks; nothing of it is in an output.

    split: whether the camera's picture is shown left of the pointer.
    mirror: whether left and right are exchanged, in the window alone.
    figures: lines about the run.
    marks: what must not be overlooked, each a word or two.
    message: what was just said; empty: nothing.
    keys: what each key does, if they are to be listed.
    """

    split: bool = False
    mirror: bool = False
    figures: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    message: str = ""
    keys: tuple[tuple[str, str], ...] = ()
