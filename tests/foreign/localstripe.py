"""Carries the adapter's requests to localstripe, a Stripe written by somebody else, and its answers and webhooks back.

    tests/foreign/.venv/bin/python tests/foreign/localstripe.py

localstripe runs as a process of its own (it is GPL), on 127.0.0.1 and with its state in a folder of its own. It knows
no Checkout Sessions, no disputes and no idempotency keys, and refuses some parameters that Stripe takes; those are
taken out on the way, by name, and each must have been there.
"""

import http.server
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import requests

from stripe_dialogue import Adapter

PORT = int(os.environ.get("LOCALSTRIPE_PORT", "8421"))
BASE = f"http://127.0.0.1:{PORT}"
SECRET = "whsec_localstripe_4kq9Zr7TtXb2"
SERVER = f"from aiohttp import web; from localstripe.server import app; web.run_app(app, host='127.0.0.1', port={PORT})"

# What localstripe 1.15.10 answers "400 Unexpected" to.
UNKNOWN_THERE = {
    "/v1/payment_intents": {"description"},
    "/v1/refunds": {"reason"},
    "/v1/events": {"types[]"},
}

CARD_GOOD = "4242424242424242"
CARD_DECLINED_LATER = "4000000000000341"
CARD_CHALLENGE = "4000002500003155"
IBAN_GOOD = "AT611904300234573201"
IBAN_FAILS = "DE62370400440532013001"


class Inbox(http.server.BaseHTTPRequestHandler):
    arrived = queue.Queue()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Inbox.arrived.put((self.headers.get("Stripe-Signature"), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Gateway:
    """localstripe, and the way to it and back."""

    def __init__(self, adapter):
        self.adapter = adapter

    def send(self, call):
        request = self.adapter.ask(request={"base_url": BASE, "call": call})
        url = urllib.parse.urlsplit(request["url"])
        unknown = UNKNOWN_THERE.get(url.path, set())
        kept, sent = {}, set()
        for part in ("query", "body"):
            text = url.query if part == "query" else request["body"]
            pairs = urllib.parse.parse_qsl(text, keep_blank_values=True)
            kept[part] = urllib.parse.urlencode([(name, value) for name, value in pairs if name not in unknown])
            sent |= {name for name, _ in pairs}
        expect(unknown <= sent, f"{url.path}: {unknown - sent} is sent")
        address = urllib.parse.urlunsplit(url._replace(query=kept["query"]))
        return requests.request(request["method"], address, headers=request["headers"], data=kept["body"], timeout=10)

    def call(self, **call):
        (kind, value) = next(iter(call.items()))
        call = kind if value is None else {kind: value}
        answer = self.send(call)
        return self.adapter.ask(read={"call": call, "status": answer.status_code, "body": answer.text})

    def fixture(self, path, **form):
        answer = requests.post(f"{BASE}/v1/{path}", data=form, auth=("sk_test_fixture", ""), timeout=10)
        answer.raise_for_status()
        return answer.json()

    def customer_with(self, kind, **details):
        customer = self.fixture("customers", email="buyer@example.org")["id"]
        method = self.fixture("payment_methods", type=kind, **details)["id"]
        self.fixture(f"payment_methods/{method}/attach", customer=customer)
        return {"customer": customer, "method": method, "kind": kind}

    def card(self, number):
        details = {"card[number]": number, "card[exp_month]": 11, "card[exp_year]": 2031, "card[cvc]": "123"}
        return self.customer_with("card", **details)

    def iban(self, number):
        return self.customer_with("sepa_debit", **{"sepa_debit[iban]": number})


checked = 0


def expect(holds, sentence, shown=None):
    global checked
    checked += 1
    if not holds:
        raise SystemExit(f"does not hold: {sentence}\n{json.dumps(shown, indent=1)}")


def until(what, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := what()) is not None:
            return found
        time.sleep(0.05)
    raise SystemExit("waited in vain")


def dialogue(gateway):
    seed = 0

    def charge(buyer, amount=1999, currency="EUR"):
        nonlocal seed
        seed += 1
        return gateway.call(charge={"seed": seed, "amount": amount, "currency": currency, **buyer})

    account = gateway.call(account=None)
    expect(account == {"account": None, "mode": "sandbox"}, "the key works, and moves no real money", account)

    paid = charge(gateway.card(CARD_GOOD))
    fact = paid["facts"][0]
    expect(fact["payment"] == "succeeded", "a good card is charged", paid)
    expect(fact["more"] == {"amount": 1999, "currency": "EUR"}, "for the whole amount", paid)
    expect(fact["of"]["order"].startswith("ord_") and fact["of"]["payment"].startswith("pay_"), "with our references", paid)
    intent = fact["of"]["reference"]

    again = gateway.call(retrieve=intent)
    expect(again["facts"][0]["payment"] == "succeeded" and len(again["facts"]) == 1, "and is found again", again)

    part = gateway.call(refund={"seed": 1, "amount": 500, "currency": "EUR", "intent": intent})
    expect(part["facts"][0]["refund"] == "succeeded" and part["facts"][0]["amount"]["amount"] == 500, "a part goes back", part)
    expect(part["facts"][0]["id"].startswith("re_") and part["facts"][0]["mode"] == "sandbox", "under our name", part)
    rest = gateway.call(refund={"seed": 2, "amount": 1499, "currency": "EUR", "intent": intent})
    expect("facts" in rest, "and so does the rest", rest)
    stands = gateway.call(retrieve=intent)
    refunds = [fact for fact in stands["facts"] if "refund" in fact]
    expect(sorted(fact["amount"]["amount"] for fact in refunds) == [500, 1499], "both refunds are told of", stands)
    expect({fact["id"] for fact in refunds} == {part["facts"][0]["id"], rest["facts"][0]["id"]}, "each by our name", stands)

    declined = charge(gateway.card(CARD_DECLINED_LATER))
    expect(declined == {"declined": {"class": "soft", "code": "card_declined"}}, "a card that fails later is declined", declined)

    challenged = charge(gateway.card(CARD_CHALLENGE))
    expect(challenged["facts"][0]["payment"] == "requires_action", "a challenge is told as one", challenged)
    intent = challenged["facts"][0]["of"]["reference"]
    secret = requests.get(f"{BASE}/v1/payment_intents/{intent}", auth=("sk_test_fixture", ""), timeout=10).json()["client_secret"]
    gateway.fixture(f"payment_intents/{intent}/_authenticate", client_secret=secret, success="true")
    passed = gateway.call(retrieve=intent)
    expect(passed["facts"][0]["payment"] == "succeeded", "and a passed challenge pays", passed)

    debit = charge(gateway.iban(IBAN_FAILS))
    expect(debit["facts"][0]["payment"] == "processing", "a debit is under way", debit)
    intent = debit["facts"][0]["of"]["reference"]

    def failed():
        found = gateway.call(retrieve=intent)
        return None if found["facts"][0]["payment"] == "processing" else found

    late = until(failed)
    expect(late["facts"][0]["payment"] == "failed", "and fails later", late)
    expect(late["facts"][0]["more"] == {"class": "soft", "code": "card_declined"}, "with the reason", late)

    good = charge(gateway.iban(IBAN_GOOD), amount=2500)
    expect(good["facts"][0]["payment"] in ("processing", "succeeded"), "another debit is under way", good)

    yen = charge(gateway.card(CARD_GOOD), amount=500, currency="JPY")
    expect(yen["facts"][0]["more"] == {"amount": 500, "currency": "JPY"}, "yen are counted whole", yen)
    krona = charge(gateway.card(CARD_GOOD), amount=500, currency="ISK")
    sent = requests.get(
        f"{BASE}/v1/payment_intents/{krona['facts'][0]['of']['reference']}", auth=("sk_test_fixture", ""), timeout=10
    ).json()["amount"]
    expect(sent == 50_000 and krona["facts"][0]["more"]["amount"] == 500, "krónur are counted in hundredths", krona)

    nobody = gateway.call(retrieve="pi_doesnotexist")
    expect("refused" in nobody or "unknown" in nobody, "what does not exist is not found", nobody)
    nobody = charge({"customer": "cus_doesnotexist", "method": "pm_doesnotexist", "kind": "card"})
    expect("refused" in nobody, "nobody cannot be charged", nobody)

    listed = gateway.call(events=0)
    kinds = {event["kind"] for event in listed["events"]}
    expect({"payment_intent.succeeded", "payment_intent.payment_failed"} <= kinds, "the event list tells of it", list(kinds))
    for event in listed["events"]:
        says = gateway.adapter.ask(translate={"kind": event["kind"], "body": event["body"]})
        expect("parked" not in says, f"a listed {event['kind']} is understood", says)


def webhooks(gateway):
    told = {}
    quiet = 0
    while quiet < 3:
        try:
            (header, body) = Inbox.arrived.get(timeout=1)
        except queue.Empty:
            quiet += 1
            continue
        now = int(time.time())
        question = {"secrets": [SECRET], "header": header, "body": body, "now": now}
        verdict = gateway.adapter.ask(verify=question)
        expect("accepted" in verdict, "a webhook is authentic", verdict)
        kind = verdict["accepted"][0]["kind"]
        for name, change in {
            "written anew": {"body": json.dumps(json.loads(body))},
            "under another secret": {"secrets": ["whsec_other"]},
            "stale": {"now": now + 400},
            "of the future": {"now": now - 400},
            "cut short": {"body": body[:-1]},
            "without a signature": {"header": None},
        }.items():
            refused = gateway.adapter.ask(verify={**question, **change})
            expect("refused" in refused, f"a webhook {name} is not authentic", refused)
        says = gateway.adapter.ask(translate={"kind": kind, "body": body})
        expect("parked" not in says, f"a {kind} is understood", says)
        state = says["fact"]["payment"] if "fact" in says else "ignored"
        told[(kind, state)] = told.get((kind, state), 0) + 1
    expect(told.get(("payment_intent.succeeded", "succeeded"), 0) >= 4, "captures were told of", str(told))
    expect(told.get(("payment_intent.payment_failed", "failed"), 0) >= 2, "failures were told of", str(told))
    return sum(told.values())


def main():
    inbox = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Inbox)
    threading.Thread(target=inbox.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, Adapter() as adapter:
        environment = {**os.environ, "TMPDIR": folder}
        log = open(os.path.join(folder, "localstripe.log"), "wb")
        server = subprocess.Popen([sys.executable, "-c", SERVER], env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            gateway = Gateway(adapter)
            hook = {"url": f"http://127.0.0.1:{inbox.server_port}/", "secret": SECRET}

            def up():
                if server.poll() is not None:
                    raise SystemExit("localstripe did not start: is it installed, and is the port free?")
                try:
                    return requests.post(f"{BASE}/_config/webhooks/one", json=hook, timeout=2)
                except requests.ConnectionError:
                    return None

            until(up).raise_for_status()
            dialogue(gateway)
            delivered = webhooks(gateway)
        finally:
            server.terminate()
            server.wait()
            log.close()
    print(f"{checked} sentences hold at localstripe, {delivered} webhooks proven and understood")


if __name__ == "__main__":
    main()
