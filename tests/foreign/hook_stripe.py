"""Events signed by the official stripe library, sent to the hook of a running server.

    tests/foreign/.venv/bin/python tests/foreign/hook_stripe.py

Authentic ones are stored (200) and seen once; altered, stale, future, truncated ones and those meant for another
account are refused (401) and leave nothing behind. Talks to 127.0.0.1 only.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import requests
import stripe

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("LATCHKEY_BINARY", str(ROOT / "target" / "debug" / "latchkey"))


def header(secret, body, at):
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", secret)
    return f"t={at},v1={signature}"


class Hook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="latchkey-hook-")
        cls.server = subprocess.Popen(
            [BINARY, "demo", "--json", "--listen", "127.0.0.1:0", "--data", cls.folder], stdout=subprocess.PIPE, cwd=cls.folder
        )
        cls.demo = json.loads(cls.server.stdout.readline())
        cls.secret = cls.demo["hook_secret"]
        cls.number = 0

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(timeout=20)
        cls.server.stdout.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def event(self, **fields):
        Hook.number += 1
        made = {
            "id": f"evt_foreign_{Hook.number}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(time.time()),
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": "customer.created",
            "data": {"object": {"id": "cus_foreign", "object": "customer"}},
        }
        made.update(fields)
        return json.dumps(made, indent=2)

    def send(self, body, signature, url=None):
        headers = {"content-type": "application/json"}
        if signature is not None:
            headers["stripe-signature"] = signature
        return requests.post(url or self.demo["hook_url"], data=body.encode(), headers=headers, timeout=20)

    def stored(self):
        answer = requests.get(
            f"{self.demo['storefront'].rstrip('/')}/v1/events?limit=100",
            headers={"authorization": f"Bearer {self.demo['api_key']}"},
            timeout=20,
        )
        answer.raise_for_status()
        return [event["id"] for event in answer.json()["data"]]

    def test_an_event_signed_by_the_library_is_taken(self):
        body = self.event()
        self.assertEqual(self.send(body, header(self.secret, body, int(time.time()))).status_code, 200)

    def test_the_same_event_sent_again_is_taken_and_counts_once(self):
        body = self.event()
        for _ in range(5):
            self.assertEqual(self.send(body, header(self.secret, body, int(time.time()))).status_code, 200)

    def test_a_signature_among_several_is_enough(self):
        body, now = self.event(), int(time.time())
        good = header(self.secret, body, now).split("v1=")[1]
        self.assertEqual(self.send(body, f"t={now},v1={'0' * 64},v1={good}").status_code, 200)

    def test_what_is_not_authentic_is_refused_and_changes_nothing(self):
        now = int(time.time())
        before = self.stored()
        body = self.event()
        good = header(self.secret, body, now)
        rows = {
            "no signature": (body, None),
            "an empty signature": (body, ""),
            "another secret": (body, header("whsec_somebody_else", body, now)),
            "an altered body": (body.replace("customer.created", "customer.deleted"), good),
            "a body written again": (json.dumps(json.loads(body)), good),
            "a truncated body": (body[:-2], good),
            "an empty body": ("", good),
            "a doubled body": (body + body, good),
            "an altered signature": (body, good[:-1] + ("0" if good[-1] != "0" else "1")),
            "a truncated signature": (body, good[:-8]),
            "an altered time": (body, good.replace(f"t={now}", f"t={now - 1}")),
            "a stale time": (body, header(self.secret, body, now - 301)),
            "a future time": (body, header(self.secret, body, now + 310)),
            "only a test signature": (body, good.replace("v1=", "v0=")),
        }
        for name, (sent, signature) in rows.items():
            with self.subTest(name):
                answer = self.send(sent, signature)
                self.assertEqual(answer.status_code, 401, answer.text)
                self.assertIn("application/problem+json", answer.headers["content-type"])
        self.assertEqual(self.stored(), before)

    def test_an_event_for_another_account_is_refused(self):
        body, now = self.event(), int(time.time())
        account = self.demo["gateway_account"]
        other = account[:-1] + ("0" if account[-1] != "0" else "1")
        answer = self.send(body, header(self.secret, body, now), self.demo["hook_url"].replace(account, other))
        self.assertEqual(answer.status_code, 404)

    def test_the_library_agrees_with_every_verdict(self):
        now = int(time.time())
        body = self.event()
        for shift, taken in ((0, True), (-290, True), (-310, False)):
            signature = header(self.secret, body, now + shift)
            try:
                stripe.Webhook.construct_event(body, signature, self.secret)
                library = True
            except stripe.SignatureVerificationError:
                library = False
            ours = self.send(body, signature).status_code == 200
            self.assertEqual((library, ours), (taken, taken), f"{shift} s")


if __name__ == "__main__":
    unittest.main(verbosity=1)
