"""A small HTTP server on the loopback interface that misbehaves on request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FileServer:
    """What the server serves, and how.

    Attributes:
        content: the one file, under any path.
        ranges: whether Range requests are honoured.
        drops: after how many bytes of the body to close the connection, per request in turn;
            None, and every request after the last, is sent to the end.
        statuses: statuses to answer with instead, per request in turn.
        announce: whether to send Content-Length.
        requests: the Range header of each request, or None.
        sent: bytes sent in all bodies.
        before_drop: called when a connection is about to be dropped.
    """

    content: bytes
    ranges: bool = True
    drops: list[int | None] = field(default_factory=list)
    statuses: list[int | None] = field(default_factory=list)
    announce: bool = True
    requests: list[str | None] = field(default_factory=list)
    sent: int = 0
    before_drop: Callable[[], object] = lambda: None
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.requests.append(wanted)
        status = self.statuses.pop(0) if self.statuses else None
        if status is not None:
            handler.send_error(status)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        start = start if self.ranges else 0
        if start and start >= len(self.content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(self.content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body = self.content[start:]
        handler.send_response(206 if start else 200)
        if start:
            end = len(self.content) - 1
            handler.send_header("Content-Range", f"bytes {start}-{end}/{len(self.content)}")
        if self.announce:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        drop = self.drops.pop(0) if self.drops else None
        sent = body if drop is None else body[:drop]
        self.sent += len(sent)  # before the client can see the last of them
        handler.wfile.write(sent)
        handler.wfile.flush()
        if drop is not None:
            self.before_drop()
        handler.close_connection = True


@contextmanager
def serve(content: bytes, **behaviour: Any) -> Iterator[FileServer]:
    """Run a server while the block runs."""
    files = FileServer(content, **behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    files.url = f"http://127.0.0.1:{server.server_address[1]}/dir/table.tfrecord?x=1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
