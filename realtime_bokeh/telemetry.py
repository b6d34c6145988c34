"""Nothing is sent anywhere: not by libraries either.

`import openvino` reports itself to a web analytics service through the package openvino_telemetry,
by default and without asking; NNCF does too. Both go on without that package when it cannot be
imported, so importing it is made to fail before either is imported.
"""

import sys


def refuse() -> None:
    """Must be called before OpenVINO or NNCF is imported."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
