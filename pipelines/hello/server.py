"""Answers every request with a greeting and the image's version."""

import os
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = int(os.environ.get("PORT", "8080"))
GREETING = Path(__file__).with_name("greeting.txt").read_text(encoding="utf-8").strip()


class Hello(BaseHTTPRequestHandler):
    """One greeting, whatever the path."""

    def do_GET(self) -> None:  # noqa: N802 (the base class names it)
        body = f"{GREETING} {os.environ.get('VERSION', 'dev')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def check() -> int:
    """0 if the server beside us answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=2) as answer:
        return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(check())
    ThreadingHTTPServer(("", PORT), Hello).serve_forever()
