"""Blur the background of one photo: python examples/photo.py IN.jpg OUT.jpg"""

import argparse
import sys
from pathlib import Path

import cv2

from realtime_bokeh import BokehError, Controls, open_engine


def main() -> None:
    parser = argparse.ArgumentParser(description="Blur the background of one photo.")
    parser.add_argument("source", metavar="IN.jpg")
    parser.add_argument("target", metavar="OUT.jpg", type=Path)
    args = parser.parse_args()
    image = cv2.imread(args.source)
    if image is None:
        parser.error(f"{args.source} is missing or not a picture")
    if not cv2.haveImageWriter(str(args.target)):
        parser.error(f"{args.target} is no name of a picture; give one such as OUT.jpg")
    try:
        with open_engine("dmshn") as engine:
            blurred = engine(image, Controls(strength=1.0, smoothing=0.0))
        args.target.write_bytes(cv2.imencode(args.target.suffix, blurred)[1])
    except BokehError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{args.target} cannot be written ({error.strerror})")


if __name__ == "__main__":
    main()
