"""Sinks of frames: the virtual camera, a video file, a window, raw frames, nothing."""
