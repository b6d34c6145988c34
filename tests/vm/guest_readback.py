"""The program's pictures, read back from the virtual camera."""

from guest import VIRTUAL_CAMERA, check, program, read_pictures, record_camera

camera = record_camera()
with program(camera):
    check(read_pictures(VIRTUAL_CAMERA), camera)
