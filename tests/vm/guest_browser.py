"""The virtual camera in a browser, as a video call would use it."""

from browser import Browser
from guest import check, program, record_camera

camera = record_camera()
with program(camera):
    browser = Browser()
    try:
        check(browser.pictures(), camera)
    finally:
        browser.kill()
