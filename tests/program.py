"""The program run inside the tests' process, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Outcome:
    """How a command line ended: status, standard output, lines of standard error."""

    status: int
    out: str
    lines: list[str]


Command: TypeAlias = Callable[..., Outcome]
