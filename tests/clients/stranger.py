"""What answers in a shop's place: the login page of a hotel's network, a proxy, a server that stumbles, one that never
answers. Each under a path of its own, over real sockets.
"""

import http.server
import json
import threading

_NO = json.dumps({"valid": False, "code": "revoked", "detail": "The license was revoked."})


class Stranger:
    """Listens until it is left. `answers` has each path, and the code that a client must make of it."""

    answers = {
        "page": "answer_unreadable",
        "redirect": "answer_unreadable",
        "nothing": "answer_unreadable",
        "made-up-yes": "certificate_refused",
        "forbidden-page": "answer_unreadable",
        "stumble": "unavailable",
        "no-with-a-stumble": "unavailable",
        "endless": "answer_unreadable",
        "cut": "network",
        "no-http": "network",
        "silence": "timeout",
    }

    def __enter__(self):
        self._left = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._left))
        self._server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._left.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(left):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            name = self.path.split("/")[1]
            try:
                getattr(self, name.replace("-", "_"))()
            except ConnectionError:
                # The client has heard enough.
                pass

        def do_GET(self):
            """Where a redirect leads: a "no" that only who follows it hears."""
            self._answer(200, _NO, "application/json")

        def page(self):
            self._answer(200, "<!doctype html><title>Welcome</title>")

        def redirect(self):
            self._answer(303, "", location="/somewhere")

        def nothing(self):
            self._answer(200, "")

        def made_up_yes(self):
            self._answer(200, json.dumps({"valid": True, "code": "valid", "certificate": "made.up.yes"}), "application/json")

        def forbidden_page(self):
            self._answer(403, "<!doctype html><title>Blocked by your organisation</title>")

        def stumble(self):
            self._answer(503, "")

        def no_with_a_stumble(self):
            self._answer(502, _NO, "application/json")

        def endless(self):
            """More than anybody should keep."""
            self._answer(200, " " * (512 * 1024) + _NO, "application/json")

        def cut(self):
            """Ends in the middle of what was promised."""
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b'{"valid": fal')
            self.close_connection = True

        def no_http(self):
            self.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")
            self.close_connection = True

        def silence(self):
            left.wait(60)
            self.close_connection = True

        def _answer(self, status, text, kind="text/html", location=None):
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            if location:
                self.send_header("location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
