"""Errors, each one clear sentence that names the thing and the remedy.

BokehError            exit status 1
├── UsageError        exit status 2: what the user gave cannot be used
├── SourceError       a camera or file that should give frames does not
├── SinkError         frames or files cannot be delivered
├── WeightsError      weights are damaged or do not fit
└── EngineError       a runtime is missing or fails
"""


class BokehError(Exception):
    """Anything that this program explains rather than traces back."""

    status = 1


class UsageError(BokehError):
    """An option or a file that the user gave cannot be used."""

    status = 2


class SourceError(BokehError):
    """Frames cannot be read."""


class SinkError(BokehError):
    """Frames cannot be delivered."""


class WeightsError(BokehError):
    """Weights are damaged or do not fit the network."""


class EngineError(BokehError):
    """A runtime is missing or fails."""


def in_words(error: Exception, what: str) -> str:
    """What an error says; of one that nobody explained, `what` failed, and its kind."""
    return str(error) if isinstance(error, BokehError) else f"{what} failed ({error!r})"


def one_line(error: Exception, index: int = -1) -> str:
    """A line of what a library says, by default the last, which mostly names the cause; its kind
    where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[index] if lines else type(error).__name__
