"""The official stripe library drives the simulated gateway, and accepts its webhooks.

Run from the repository's root:

    python3 -m venv tests/foreign/.venv
    tests/foreign/.venv/bin/pip install -r tests/foreign/requirements.txt
    tests/foreign/.venv/bin/python tests/foreign/sandbox_stripe.py

Starts the gateway with `cargo run -p sandbox --example serve`, or the program that
SANDBOX_SERVE names. Talks to 127.0.0.1 only.
"""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.parse
import urllib.request

import stripe

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY = "sk_test_foreign"


def serve_program():
    named = os.environ.get("SANDBOX_SERVE")
    if named:
        return named
    build = ["cargo", "build", "--quiet", "--package", "sandbox", "--example", "serve", "--message-format", "json"]
    lines = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    made = [json.loads(line) for line in lines]
    return next(one["executable"] for one in made if one.get("executable") and one["target"]["name"] == "serve")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


def post_form(url, **fields):
    """Posts a form as a browser does; returns status, location and page."""
    request = urllib.request.Request(url, data=urllib.parse.urlencode(fields).encode(), method="POST")
    try:
        answer = OPENER.open(request)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers.get("location"), answer.read().decode()


class Gateway:
    """The simulated gateway as a process of its own."""

    def __init__(self, program, data):
        self.program, self.data = program, data
        self.start()

    def start(self):
        command = [self.program, "--listen", "127.0.0.1:0", "--data", self.data]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["sandbox"]
        http_client = stripe.RequestsClient(session=None)
        self.client = stripe.StripeClient(
            KEY, base_addresses={"api": self.url}, http_client=http_client, max_network_retries=0
        )
        self.v1 = self.client.v1

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def control(self, path, **body):
        request = urllib.request.Request(f"{self.url}/_control/{path}", data=json.dumps(body).encode(), method="POST")
        with OPENER.open(request) as answer:
            return json.load(answer)

    def truth(self):
        with OPENER.open(f"{self.url}/_control/truth") as answer:
            return json.load(answer)

    def session(self, **more):
        line = {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Lumen"}}
        params = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": line}],
            "success_url": "https://shop.test/thanks?s={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.test/back",
            "client_reference_id": "ord_1",
            "payment_intent_data": {"metadata": {"order": "ord_1"}},
        }
        return self.v1.checkout.sessions.create({**params, **more})

    def pay(self, session, number):
        card = {"email": "buyer@shop.test", "method": "card", "card_number": number, "exp": "12/34", "cvc": "123"}
        return post_form(session.url, **card)


class Hooks(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((body, self.headers["stripe-signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class StripeLibrary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.mkdtemp(prefix="sandbox-foreign-")
        cls.gateway = Gateway(serve_program(), cls.data)
        cls.hooks = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hooks)
        cls.hooks.received = []
        threading.Thread(target=cls.hooks.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.kill()
        cls.hooks.shutdown()
        cls.hooks.server_close()
        shutil.rmtree(cls.data)

    def setUp(self):
        self.gateway.control("reset")
        self.hooks.received.clear()
        self.v1 = self.gateway.v1

    def test_a_hosted_session_is_paid_and_refunded(self):
        session = self.gateway.session()
        self.assertEqual((session.status, session.payment_status, session.payment_intent), ("open", "unpaid", None))
        status, location, page = self.gateway.pay(session, "4000000000009995")
        self.assertEqual(status, 422)
        self.assertIn("insufficient funds", page)
        status, location, _ = self.gateway.pay(session, "4242 4242 4242 4242")
        self.assertEqual((status, location), (303, f"https://shop.test/thanks?s={session.id}"))
        expand = {"expand": ["payment_intent.latest_charge.refunds", "line_items"]}
        session = self.v1.checkout.sessions.retrieve(session.id, expand)
        intent = session.payment_intent
        self.assertEqual((session.status, session.payment_status, intent.status), ("complete", "paid", "succeeded"))
        self.assertEqual(intent.metadata["order"], "ord_1")
        self.assertEqual(session.line_items.data[0].amount_total, 4900)
        refund = self.v1.refunds.create({"payment_intent": intent.id, "amount": 900, "reason": "requested_by_customer"})
        self.assertEqual((refund.status, refund.amount), ("succeeded", 900))
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            self.v1.refunds.create({"payment_intent": intent.id, "amount": 4001})
        self.assertEqual(refused.exception.param, "amount")
        charge = self.v1.charges.retrieve(intent.latest_charge.id, {"expand": ["balance_transaction"]})
        self.assertEqual((charge.amount_refunded, charge.refunded), (900, False))
        self.assertEqual(charge.balance_transaction.amount, 4900)
        self.assertEqual(self.gateway.truth()["payments"][0]["refunded"], 900)

    def test_a_debit_ends_after_minutes(self):
        session = self.gateway.session()
        iban = {"email": "a@b.test", "method": "sepa_debit", "name": "Ada", "iban": "AT321904300235473204"}
        self.assertEqual(post_form(session.url, **iban)[0], 303)
        session = self.v1.checkout.sessions.retrieve(session.id)
        self.assertEqual((session.status, session.payment_status), ("complete", "unpaid"))
        self.gateway.control("clock", advance_seconds=180)
        self.assertEqual(self.v1.checkout.sessions.retrieve(session.id).payment_status, "paid")

    def test_a_challenge_is_taken_on_its_own_page(self):
        session = self.gateway.session()
        status, location, _ = self.gateway.pay(session, "4000002760003184")
        self.assertEqual((status, location), (303, f"/pay/{session.id}/challenge"))
        status, location, _ = post_form(self.gateway.url + location, outcome="complete")
        self.assertEqual((status, location), (303, f"/pay/{session.id}"))
        self.assertEqual(self.v1.checkout.sessions.retrieve(session.id).payment_status, "paid")

    def test_a_saved_card_is_charged_off_session(self):
        customer = self.v1.customers.create({"email": "ada@shop.test", "name": "Ada", "metadata": {"a": "1"}})
        method = self.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        self.assertEqual(method.card.last4, "4242")
        params = {
            "amount": 900, "currency": "eur", "customer": customer.id, "payment_method": method.id,
            "off_session": True, "confirm": True, "expand": ["latest_charge"],
        }
        intent = self.v1.payment_intents.create(params)
        self.assertEqual((intent.status, intent.amount_received), ("succeeded", 900))
        self.assertTrue(intent.latest_charge.paid)
        listed = self.v1.customers.payment_methods.list(customer.id)
        self.assertEqual([one.id for one in listed.data], [method.id])
        self.assertIsNone(self.v1.payment_methods.detach(method.id).customer)
        self.assertTrue(self.v1.customers.delete(customer.id).deleted)

    def test_declines_are_card_errors(self):
        customer = self.v1.customers.create({"email": "ada@shop.test"})
        self.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
        with self.assertRaises(stripe.CardError):
            self.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})
        rows = [
            ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
            ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
        ]
        for method, code, decline_code in rows:
            params = {
                "amount": 900, "currency": "eur", "payment_method": method, "off_session": True, "confirm": True,
            }
            with self.assertRaises(stripe.CardError) as declined:
                self.v1.payment_intents.create(params)
            error = declined.exception.error
            self.assertEqual((declined.exception.http_status, error.code, error.decline_code), (402, code, decline_code))
            self.assertEqual(error.payment_intent.status, "requires_payment_method")

    def test_a_card_is_set_up_with_a_challenge(self):
        customer = self.v1.customers.create({"email": "ada@shop.test"})
        params = {
            "customer": customer.id, "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True, "usage": "off_session", "return_url": "https://shop.test/back?x=1",
        }
        setup = self.v1.setup_intents.create(params)
        self.assertEqual(setup.status, "requires_action")
        _, location, _ = post_form(setup.next_action.redirect_to_url.url, outcome="complete")
        self.assertTrue(location.startswith("https://shop.test/back?x=1&setup_intent=seti_"), location)
        setup = self.v1.setup_intents.retrieve(setup.id)
        self.assertEqual(setup.status, "succeeded")
        charge = {
            "amount": 900, "currency": "eur", "customer": customer.id, "payment_method": setup.payment_method,
            "off_session": True, "confirm": True,
        }
        self.assertEqual(self.v1.payment_intents.create(charge).status, "succeeded")

    def test_a_dispute_is_answered_and_won(self):
        params = {"amount": 900, "currency": "eur", "payment_method": "pm_card_createDispute", "confirm": True}
        intent = self.v1.payment_intents.create(params)
        [dispute] = self.v1.disputes.list({"payment_intent": intent.id}).data
        self.assertEqual((dispute.status, dispute.amount, dispute.reason), ("needs_response", 900, "fraudulent"))
        evidence = {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
        self.assertEqual(self.v1.disputes.update(dispute.id, evidence).status, "won")
        kinds = {event.type for event in self.v1.events.list({"limit": 100}).data}
        self.assertLessEqual({"charge.dispute.created", "charge.dispute.funds_reinstated", "charge.dispute.closed"}, kinds)
        warned = self.v1.payment_intents.create({**params, "payment_method": "pm_card_createIssuerFraudRecord"})
        [warning] = self.v1.radar.early_fraud_warnings.list({"payment_intent": warned.id}).data
        self.assertTrue(warning.actionable)

    def test_errors_have_their_classes(self):
        with self.assertRaises(stripe.InvalidRequestError) as unknown:
            self.v1.customers.create({"nmae": "Ada"})
        self.assertEqual((unknown.exception.code, unknown.exception.param), ("parameter_unknown", "nmae"))
        with self.assertRaises(stripe.InvalidRequestError) as missing:
            self.v1.payment_intents.retrieve("pi_none")
        self.assertEqual((missing.exception.http_status, missing.exception.code), (404, "resource_missing"))
        stranger = stripe.StripeClient("sk_live_stranger", base_addresses={"api": self.gateway.url})
        with self.assertRaises(stripe.AuthenticationError):
            stranger.v1.customers.list()
        once = {"idempotency_key": "job_1"}
        first = self.v1.customers.create({"name": "Ada"}, once)
        again = self.v1.customers.create({"name": "Ada"}, once)
        self.assertEqual(again.id, first.id)
        self.assertEqual(again.last_response.headers["idempotent-replayed"], "true")
        with self.assertRaises(stripe.IdempotencyError):
            self.v1.customers.create({"name": "Eve"}, once)

    def test_a_lost_answer_is_made_good_by_the_librarys_own_retry(self):
        self.gateway.control("faults", seed=5, no_answer=40, error_after_doing=20)
        client = stripe.StripeClient(KEY, base_addresses={"api": self.gateway.url}, max_network_retries=12)
        stripe._http_client.HTTPClient.INITIAL_DELAY = 0
        names = [f"buyer {number}" for number in range(5)]
        for name in names:
            client.v1.customers.create({"name": name})
        self.gateway.control("faults")
        listed = self.v1.customers.list({"limit": 100}).auto_paging_iter()
        self.assertEqual(sorted(one.name for one in listed), names)

    def test_pages_of_a_list_are_walked(self):
        made = [self.v1.customers.create({"name": str(number)}).id for number in range(7)]
        walked = [one.id for one in self.v1.customers.list({"limit": 3}).auto_paging_iter()]
        self.assertEqual(walked, made[::-1])

    def test_webhooks_are_accepted(self):
        url = f"http://127.0.0.1:{self.hooks.server_port}/hook"
        endpoint = self.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
        session = self.gateway.session()
        self.gateway.pay(session, "4242424242424242")
        self.gateway.control("flush")
        events = [stripe.Webhook.construct_event(body, header, endpoint.secret) for body, header in self.hooks.received]
        kinds = [event.type for event in events]
        self.assertIn("checkout.session.completed", kinds)
        completed = next(event for event in events if event.type == "checkout.session.completed")
        self.assertEqual(completed.data.object.id, session.id)
        self.assertEqual(completed.data.object.payment_status, "paid")
        body, header = self.hooks.received[0]
        with self.assertRaises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body + b" ", header, endpoint.secret)
        self.assertEqual(len(self.v1.events.list({"delivery_success": False}).data), 0)
        self.assertTrue(self.v1.webhook_endpoints.delete(endpoint.id).deleted)

    def test_a_killed_gateway_forgets_nothing(self):
        session = self.gateway.session()
        self.gateway.pay(session, "4242424242424242")
        before = self.gateway.truth()
        self.gateway.kill()
        self.gateway.start()
        self.assertEqual(self.gateway.truth(), before)
        refund = self.gateway.v1.refunds.create({"payment_intent": before["payments"][0]["intent"]})
        self.assertEqual(refund.amount, 4900)


if __name__ == "__main__":
    unittest.main()
