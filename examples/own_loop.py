"""The engine in a capture loop of your own, with the strength on the + and - keys.

python examples/own_loop.py [CAMERA_INDEX]; Esc stops.
"""

import sys

import cv2

from realtime_bokeh import Controls, open_engine

engine = open_engine("lite")
print(engine.reason)
capture = cv2.VideoCapture(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
strength = 1.0
while True:
    ok, image = capture.read()
    if not ok:
        sys.exit("The camera gives no frames")
    cv2.imshow("Bokeh", engine(image, Controls(strength, smoothing=0.5)))
    key = cv2.waitKey(1) & 0xFF
    if key == 27:
        break
    if key in (ord("+"), ord("-")):
        strength = min(1.0, max(0.0, strength + (0.1 if key == ord("+") else -0.1)))
