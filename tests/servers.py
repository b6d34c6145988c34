"""Cameras on the network, on this computer: what they send over HTTP and RTSP."""

import contextlib
import itertools
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from realtime_bokeh.sizes import Size

SIZE = Size(48, 64)
COLOUR = (9, 99, 199)
_INTERVAL = 0.01  # seconds between pictures


class _Web(SimpleHTTPRequestHandler):
    """Files of a folder, and beside them: /video is MJPEG, /private is for nobody, /silent says
    nothing, and /short ends after ten pictures."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/private":
            self.send_error(401)
        elif path == "/silent":
            time.sleep(2)
        elif path in ("/video", "/short"):
            self._send_pictures(10 if path == "/short" else None)
        else:
            super().do_GET()

    def _send_pictures(self, total: int | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        picture = cv2.imencode(".jpg", np.full((*SIZE, 3), COLOUR, np.uint8))[1].tobytes()
        head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        for _ in itertools.count() if total is None else range(total):
            try:
                self.wfile.write(head.encode() + picture + b"\r\n")
            except OSError:
                return  # whoever watched has gone
            time.sleep(_INTERVAL)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    """The port of a server that serves."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """The address of a web server, without a path; see `_Web`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Web, directory=str(folder)))
    server.daemon_threads, server.block_on_close = True, False
    with _serving(server) as port:
        yield f"http://127.0.0.1:{port}"


class _Interleaved:
    """A file whose every write is a packet of RTP or RTCP, sent within an RTSP connection."""

    def __init__(self, send: socketserver.StreamRequestHandler) -> None:
        self._send = send.wfile.write

    def write(self, packet: bytes) -> int:
        channel = 1 if 192 <= packet[1] <= 223 else 0  # RTCP
        self._send(b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet)
        return len(packet)


class _Rtsp(socketserver.StreamRequestHandler):
    """RTSP as IP cameras have it: /private is for nobody, and /none is not there."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            method, address, _ = line.decode().split()
            fields: dict[str, str] = {}
            while (line := self.rfile.readline()).strip():
                name, _, value = line.decode().partition(":")
                fields[name.lower()] = value.strip()
            status, more, body = "200 OK", "", ""
            if method == "DESCRIBE":
                if "/private" in address:
                    status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"\r\n'
                elif "/none" in address:
                    status = "404 Not Found"
                else:
                    more = f"Content-Base: {address}/\r\nContent-Type: application/sdp\r\n"
                    body = (
                        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
                        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                        "a=fmtp:96 packetization-mode=1\r\na=control:track\r\n"
                    )
            elif method == "SETUP":
                more = "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            elif method == "PLAY":
                more = "Session: 1\r\n"
            answer = f"RTSP/1.0 {status}\r\nCSeq: {fields['cseq']}\r\n{more}"
            self.wfile.write(f"{answer}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            if method == "PLAY":
                self._play()
                return

    def _play(self) -> None:
        with contextlib.suppress(OSError, av.FFmpegError):  # whoever watched has gone
            self._send_pictures()

    def _send_pictures(self) -> None:
        options = {"packetsize": "1200"}
        with av.open(_Interleaved(self), "w", format="rtp", options=options) as container:
            video = container.add_stream("libx264", rate=50, options={"tune": "zerolatency"})
            assert isinstance(video, VideoStream)
            video.height, video.width = SIZE
            video.pix_fmt = "yuv420p"
            picture = av.VideoFrame.from_ndarray(np.full((*SIZE, 3), COLOUR, np.uint8), "bgr24")
            for number in itertools.count():
                picture.pts = number
                container.mux(video.encode(picture))
                time.sleep(_INTERVAL)


@contextmanager
def rtsp() -> Iterator[str]:
    """The address of a camera with RTSP, without a path; see `_Rtsp`."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Rtsp)
    server.daemon_threads, server.block_on_close = True, False
    with _serving(server) as port:
        yield f"rtsp://127.0.0.1:{port}"
