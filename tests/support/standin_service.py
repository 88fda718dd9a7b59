"""Stands in for a service where supervision is the subject: serves /livez and /readyz, and ends as the real ones do."""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path in ("/livez", "/readyz")
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _end_with_stdin() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


def main() -> int:
    """Serve until SIGTERM or the end of standard input; told `broken` it fails at once, told `stubborn` it ignores SIGTERM."""
    if "broken" in sys.argv:
        print("the stand-in was told to fail", file=sys.stderr)
        return 3
    server = ThreadingHTTPServer((os.environ["POEC_HTTP_HOST"], int(os.environ["POEC_HTTP_PORT"])), _Answers)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else lambda *_: os._exit(0))
    if os.environ.get("POEC_STDIN_WATCH") == "1":
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
