"""Nothing is sent anywhere: not by libraries either.

`import openvino` reports itself to a web analytics service through the package openvino_telemetry,
by default and without asking; NNCF does too. Both go on without that package when it cannot be
imported, so importing it is made to fail before either is imported. Seen in OpenVINO 2026.4.1, NNCF
3.4.0 and openvino_telemetry 2025.2.0; a test holds that nothing is sent.
"""

import sys


def refuse() -> None:
    """Keep OpenVINO and NNCF from reporting their use; call it before either is imported."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
