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
