import pytest

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sources.address import check_address, is_address, without_secrets


@pytest.mark.parametrize("path", ["", "/", "/live?user=me&password=s3cret", ":554/a/b"])
def test_passwords_are_hidden(path: str) -> None:
    for scheme in ("rtsp", "http"):
        told = without_secrets(f"{scheme}://me:s3cret@camera.local{path}")
        assert told == f"{scheme}://me:***@camera.local{path.partition('?')[0]}" + (
            "?***" if "?" in path else ""
        )


@pytest.mark.parametrize(
    "address",
    ["rtsp://me:s3/cret@host/", "rtsp://me:s3?cret@host/", "http://host/x?password=s3@cret"],
)
def test_a_password_that_does_not_belong_there_is_hidden(address: str) -> None:
    assert without_secrets(address) == address.partition("://")[0] + "://***"


@pytest.mark.parametrize("address", ["udp://@:5000", "rtsp://host:554/live", "http://[::1]:80/"])
def test_what_is_not_secret_is_without_secrets(address: str) -> None:
    check_address(address)
    assert without_secrets(address) == address


@pytest.mark.parametrize("name", ["0", "/dev/video0", "demo", "clip.mp4", "usb-Camera_0"])
def test_other_cameras_have_no_addresses(name: str) -> None:
    assert not is_address(name)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("ftp://me:s3cret@host/", "No camera is read by ftp://"),
        ("file:///etc/passwd", "No camera is read by file://"),
        ("rtsp://me:s3cret@host:port/", r"rtsp://me:\*\*\*@host:port/ is no address"),
        ("rtsp://me:s3cret@[host/", r"rtsp://me:\*\*\*@\[host/ is no address"),
        ("http://", "http:// is no address; write it as http://host:port/path"),
    ],
)
def test_addresses_of_another_form_are_refused(address: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        check_address(address)
    assert "s3cret" not in str(caught.value)
