"""Keeps a picture of a live run."""

import threading
from collections.abc import Callable
from datetime import datetime

import cv2
import platformdirs

from realtime_bokeh.errors import BokehError, SinkError
from realtime_bokeh.files import reason, write_beside
from realtime_bokeh.frame import Image


def save_picture(image: Image, tell: Callable[[str], None]) -> None:
    """Save a picture as a PNG in the user's folder of pictures, beside all that is there.

    It is done on a thread of its own: the outputs do not wait. `tell` is called there, with where
    it is, or why it is not.

    Args:
        image: uint8 [H, W, 3] BGR, which does not change any more.
    """
    named = datetime.now().strftime("realtime-bokeh %Y-%m-%d %H.%M.%S.png")
    threading.Thread(target=_save, args=(image, named, tell), name="keep").start()


def _save(image: Image, name: str, tell: Callable[[str], None]) -> None:
    folder = platformdirs.user_pictures_path()
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(
                f"The folder {folder} cannot be made ({reason(error)}); no picture was saved"
            ) from error
        _, png = cv2.imencode(".png", image)
        tell(f"Saved {write_beside(folder / name, png.tobytes())}")
    except BokehError as error:
        tell(str(error))
