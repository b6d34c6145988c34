"""The engine in a capture loop of your own, with the strength on the + and - keys.

python examples/own_loop.py [CAMERA_INDEX]; Esc stops.
"""

import argparse
import sys

import cv2

from realtime_bokeh import BokehError, Controls, open_engine

ESCAPE = 27
STEPS = {ord("+"): 0.1, ord("-"): -0.1}


def main() -> None:
    parser = argparse.ArgumentParser(description="Show a camera with its background blurred.")
    parser.add_argument("camera", metavar="CAMERA_INDEX", type=int, nargs="?", default=0)
    capture = cv2.VideoCapture(parser.parse_args().camera)
    try:
        show(capture)
    except BokehError as error:
        sys.exit(str(error))
    finally:
        capture.release()


def show(capture: cv2.VideoCapture) -> None:
    """Show blurred frames until Esc is pressed."""
    strength, key = 1.0, 0
    with open_engine("lite") as engine:
        print(engine.reason)
        while key != ESCAPE:
            ok, image = capture.read()
            if not ok:
                sys.exit("The camera gives no frames")
            cv2.imshow("Bokeh", engine(image, Controls(strength, smoothing=0.5)))
            key = cv2.waitKey(1) & 0xFF
            strength = min(1.0, max(0.0, strength + STEPS.get(key, 0.0)))


if __name__ == "__main__":
    main()
