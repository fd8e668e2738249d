"""Requests over the network, by the standard library, with the trust of the operating system and through the proxy
that the environment names.
"""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass

_LONGEST_ANSWER_BYTES = 256 * 1024


@dataclass(frozen=True)
class Reply:
    """What came back: an answer with a `status` and a `body`, or a `failure`, "timeout" or "network"."""

    status: int = 0
    body: str = ""
    failure: str | None = None


class Http:
    """Sends requests itself, and waits this many seconds for an answer."""

    def __init__(self, patience=10.0):
        self._patience = patience
        self._opener = urllib.request.build_opener(_NoRedirect)

    def send(self, url, body, language):
        """POST of a JSON body, or GET when it is None. Never raises: that nothing came back is a reply too."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept-Language": language}
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            request = urllib.request.Request(url, data=data, headers=headers)
            return self._answer(request)
        except TimeoutError:
            return Reply(failure="timeout")
        except urllib.error.URLError as error:
            return Reply(failure="timeout" if isinstance(error.reason, TimeoutError) else "network")
        except (OSError, ValueError, http.client.HTTPException):
            return Reply(failure="network")

    def _answer(self, request):
        try:
            answer = self._opener.open(request, timeout=self._patience)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            body = answer.read(_LONGEST_ANSWER_BYTES)
            # A read of a limited length does not tell that the connection ended too soon.
            if answer.length and len(body) < _LONGEST_ANSWER_BYTES:
                return Reply(failure="network")
            return Reply(answer.status, body.decode("utf-8", "replace"))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is somebody else's answer: it is handed on, and means that nobody can tell."""

    def redirect_request(self, *_):
        return None
