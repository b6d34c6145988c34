"""Sources of frames: a camera, a video file, the built-in scene."""
