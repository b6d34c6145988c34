"""Addresses of cameras on the network, and how they are told without what is secret in them."""

from urllib.parse import urlsplit

from realtime_bokeh.errors import UsageError

SCHEMES = ("rtsp", "rtsps", "http", "https", "udp", "tcp", "srt")


def is_address(camera: str) -> bool:
    """Whether a camera's name is an address on the network."""
    return "://" in camera


def check_address(address: str) -> None:
    """Refuse an address of another form than scheme://host/path.

    Raises:
        UsageError: when it has, or the scheme is not one of those that are read.
    """
    scheme = address.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise UsageError(
            f"No camera is read by {scheme}://; give an address with {', '.join(SCHEMES)}"
        )
    try:
        place = urlsplit(address)
        host, port = place.hostname, place.port
    except ValueError:  # such as a port that is no number
        host = port = None
    if not host and not port:
        raise UsageError(
            f"{without_secrets(address)} is no address; write it as {scheme}://host:port/path"
        )


def without_secrets(camera: str) -> str:
    """A camera's name for people; of an address, without the password, and without the query, in
    which some cameras want it."""
    if not is_address(camera):
        return camera
    scheme, _, rest = camera.partition("://")
    end = min((rest.index(mark) for mark in "/?#" if mark in rest), default=len(rest))
    place, path = rest[:end], rest[end:]
    if "@" in path:  # a password may have a character in it that does not belong there
        return f"{scheme}://***"
    user, at, host = place.rpartition("@")
    name, colon, _ = user.partition(":")
    path, mark, _ = path.partition("?")
    return f"{scheme}://{name}{colon and ':***'}{at}{host}{path}{mark and '?***'}"
