"""How soon the first frame is out, and how long the import takes.

    python benchmarks/startup.py [--model lite] [--runs 5]

Starts the real program on the built-in scene, takes its raw frames from standard output and stops
it. Prints JSON: seconds from starting the process to the first rendered frame, and seconds that
`import realtime_bokeh` takes beyond an empty interpreter; medians.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from statistics import median

_SIZE = (1280, 720)


def first_frame(model: str) -> float:
    command = [sys.executable, "-m", "realtime_bokeh", "--camera", "demo", "--output", "-"]
    command += ["--model", model, "--size", "{}x{}".format(*_SIZE)]
    begin = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        frame = program.stdout.read(_SIZE[0] * _SIZE[1] * 3)
        seconds = time.monotonic() - begin
        program.send_signal(signal.SIGINT)
        program.stdout.read()
    if len(frame) != _SIZE[0] * _SIZE[1] * 3:
        sys.exit("the program ended without a frame")
    return seconds


def interpreter(program: str) -> float:
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.monotonic() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lite")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    runs = range(args.runs)
    result = {
        "model": args.model,
        "first_frame_s": round(median(first_frame(args.model) for _ in runs), 2),
        "import_s": round(
            median(interpreter("import realtime_bokeh") - interpreter("") for _ in runs), 3
        ),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
