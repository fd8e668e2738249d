"""A demo shop of its own, and a buyer without a face: opens a checkout through the API and pays on the gateway's page.
Standard library only, loopback only.
"""

import html.parser
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("LATCHKEY_BINARY", str(ROOT / "target" / "debug" / "latchkey"))
PATIENCE_SECONDS = 20
CARD = {"email": "ada@example.org", "method": "card", "card_number": "4242424242424242", "exp": "12/34", "cvc": "123"}


class Shop:
    """Runs between `start` and `stop`, as often as wanted, at the same address and with the same rows."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="latchkey-clients-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._listen = "127.0.0.1:%d" % free.getsockname()[1]
        self.url = f"http://{self._listen}"
        self._server = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        self._server = subprocess.Popen(
            [BINARY, "demo", "--json", "--listen", self._listen, "--data", os.path.join(self.folder, "shop")],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )
        self.api_key = json.loads(self._server.stdout.readline())["api_key"]

    def stop(self):
        if self._server is not None:
            self._server.terminate()
            self._server.wait(timeout=PATIENCE_SECONDS)
            self._server.stdout.close()
            self._server = None

    def buy(self, plan, quantity):
        """Buys, pays, and gives the order with its licenses."""
        checkout = self.api(
            "/v1/checkouts",
            {"plan": plan, "quantity": quantity, "currency": "EUR", "customer": {"email": "ada@example.org", "country": "DE"}},
        )
        browser = Browser()
        page = browser.get(checkout["url"])
        form = next(form for form in page.forms if form.action.startswith(("/checkout/", "/buy/")))
        fields = form.fields | {"email": "ada@example.org", "country": "DE", "consent": "yes", "press": "pay"}
        gateway = browser.post(urllib.parse.urljoin(self.url, form.action), fields).location
        browser.get(browser.post(gateway, CARD).location)
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            order = self.api(f"/v1/orders/{checkout['order']}")
            if len(order["licenses"]) == quantity:
                return order
            if time.monotonic() > until:
                raise SystemExit(f"paid, and after {PATIENCE_SECONDS} s still no licenses: {order}")
            time.sleep(0.1)

    def api(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.api_key}", "content-type": "application/json"}
        if body is not None:
            headers["idempotency-key"] = os.urandom(8).hex()
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)


    def fetch(self, path):
        """What is published at an address, for everybody."""
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE_SECONDS) as answer:
            return answer.read()


class Browser:
    """Keeps cookies, and shows each redirect instead of following it."""

    def __init__(self):
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(), _NoRedirect
        )

    def get(self, url):
        page = self._open(urllib.request.Request(url))
        return self.get(urllib.parse.urljoin(url, page.location)) if page.location else page

    def post(self, url, fields):
        return self._open(urllib.request.Request(url, data=urllib.parse.urlencode(fields).encode()), url)

    def _open(self, request, base=""):
        try:
            answer = self._opener.open(request, timeout=PATIENCE_SECONDS)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            text = answer.read().decode()
            if answer.status >= 400:
                raise SystemExit(f"{request.full_url} answers {answer.status}: {text[:2000]}")
            location = answer.headers.get("location")
            return Page(text, location and urllib.parse.urljoin(base or request.full_url, location))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Page:
    def __init__(self, text, location):
        self.text = text
        self.location = location
        reader = _Forms()
        reader.feed(text)
        self.forms = reader.forms


class Form:
    def __init__(self, action):
        self.action = action
        self.fields = {}


class _Forms(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append(Form(attributes.get("action", "")))
        counts = attributes.get("type") not in ("checkbox", "radio") or "checked" in attributes
        if tag == "input" and self.forms and "name" in attributes and counts:
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
