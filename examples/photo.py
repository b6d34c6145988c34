"""Blur the background of one photo: python examples/photo.py IN.jpg OUT.jpg"""

import sys

import cv2

from realtime_bokeh import Controls, open_engine

image = cv2.imread(sys.argv[1])
if image is None:
    sys.exit(f"{sys.argv[1]} is missing or not a picture")
engine = open_engine("dmshn")
cv2.imwrite(sys.argv[2], engine(image, Controls(strength=1.0, smoothing=0.0)))
