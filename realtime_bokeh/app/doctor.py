"""What works on this computer and what does not, in plain sentences with the remedy."""

import shutil
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from realtime_bokeh import weights
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.engines import ENGINES
from realtime_bokeh.engines.hardware import amd_driver, nvidia_driver, nvidia_gpus
from realtime_bokeh.errors import BokehError, SourceError
from realtime_bokeh.extras import install_hint


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing.

    subject: what was looked at.
    works: whether it can be used.
    sentence: what is there, or what is missing and the remedy.
    needed: whether live use depends on it.
    """

    subject: str
    works: bool
    sentence: str
    needed: bool = True


def _camera() -> str:
    from realtime_bokeh.sources.camera import Camera
    from realtime_bokeh.video4linux import linux_cameras

    found = list(linux_cameras()) if sys.platform == "linux" else ["0"]
    if not found:
        raise SourceError("No camera was found; plug one in")
    camera = Camera(found[0])
    try:
        return f"{camera.describe()} gives frames."
    finally:
        camera.close()


def _virtual_camera() -> str:
    from realtime_bokeh.sinks.virtual_camera import check_virtual_camera

    return f"{check_virtual_camera(None)} takes frames."


def _browsers() -> list[Finding]:
    """That browsers pass the virtual camera over, if they do."""
    if sys.platform != "linux":
        return []
    from realtime_bokeh.sinks.kernel_module import RELOAD
    from realtime_bokeh.sinks.loopback import check

    try:
        path, exclusive = check(None)
    except BokehError:
        return []  # it is told already
    if exclusive:
        return []
    sentence = (
        f"{path} was made without exclusive_caps=1, so browsers do not list it; make it anew: "
        f"realtime-bokeh doctor --fix, or {RELOAD}."
    )
    return [Finding("virtual camera in browsers", False, sentence, needed=False)]


def _weights() -> str:
    weights.find(Settings().model)  # the default: without it little works
    names = []
    for model in weights.models():
        for file in model.sha256:
            model.file(file)
        names.append(model.name)
    return f"The models {', '.join(names)} are complete and undamaged."


def _check(subject: str, test: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, test())
    except BokehError as error:
        return Finding(subject, False, f"{error}.")


def _damaged_models() -> list[Finding]:
    return [
        Finding(f"model {model.name}", False, f"{model.problem}; {model.remedy}.", needed=False)
        for model in weights.damaged_models()
    ]


def _engines() -> list[Finding]:
    found = []
    chosen = None
    for runtime in ENGINES:
        missing, reason = runtime.missing(), runtime.passed_over(None)
        if missing is not None:
            sentence = f"{missing[0].upper()}{missing[1:]}."
        elif reason is not None:
            sentence = f"It is installed, and passed over unless asked for: {reason}."
        else:
            sentence = "It is installed."
            chosen = chosen or runtime.name
        found.append(Finding(f"engine {runtime.name}", missing is None, sentence, needed=False))
    sentence = f"{chosen} is used." if chosen else f"There is none; {install_hint()}."
    return [*found, Finding("engine", chosen is not None, sentence), *_gpus()]


def _gpus() -> list[Finding]:
    """What is there, and the TensorRT that fits it."""
    found = [
        Finding("GPU", True, f"{gpu}; for TensorRT: {gpu.install_line}.", needed=False)
        for gpu in nvidia_gpus()
    ]
    if found:
        return found
    if nvidia_driver():
        sentence = "An NVIDIA driver is installed, but nvidia-smi lists no GPU."
    elif amd_driver():
        sentence = "There is an AMD GPU; PyTorch's build for ROCm uses it."
    else:
        sentence = "No NVIDIA or AMD GPU was found; the CPU or Intel graphics are used."
    return [Finding("GPU", amd_driver(), sentence, needed=False)]


def examine() -> list[Finding]:
    """All findings; live use can run when every needed one works."""
    return [
        _check("weights", _weights),
        *_damaged_models(),
        *_engines(),
        _check("camera", _camera),
        _check("virtual camera", _virtual_camera),
        *_browsers(),
    ]


def report(repair: bool = False) -> int:
    """Print all findings; the exit status, 0 if live use can run and 1 if not.

    Args:
        repair: also offer to load the virtual camera's driver, see `driver.fix`; what is found
            after that counts.

    Raises:
        SinkError: as `driver.fix`.
    """
    status = _print(examine())
    if repair:
        from realtime_bokeh.app.driver import fix

        if fix():
            status = _print(examine())
    return status


def _print(findings: list[Finding]) -> int:
    """Print findings; the exit status."""
    width = min(120, shutil.get_terminal_size().columns)
    for finding in findings:
        mark = "ok  " if finding.works else "FAIL" if finding.needed else "--  "
        line = f"{mark} {finding.subject}: {finding.sentence}"
        # commands and paths stay in one piece, to be copied
        print(textwrap.fill(line, width, subsequent_indent="     ", break_long_words=False,
                            break_on_hyphens=False))  # fmt: skip
    failed = [finding.subject for finding in findings if finding.needed and not finding.works]
    print(f"Live use cannot run: {', '.join(failed)}." if failed else "Live use can run.")
    return 1 if failed else 0
