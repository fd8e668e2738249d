"""Lets Stripe's own Python library sign, and holds our verdict against the library's own.

    tests/foreign/.venv/bin/python tests/foreign/stripe_signatures.py

Every genuine message must be accepted by both. What the library refuses, we must refuse. Where we are stricter, the
case says so: the library takes messages from the future, and counts `+5` and ` 5 ` as numbers.
"""

import json
import sys

import stripe

from stripe_dialogue import Adapter

NOW = 1_700_000_000
SECRET = "whsec_4kq9Zr7TtXb2"
sign = stripe.WebhookSignature.generate_signature_header


def event(number):
    """Bodies that differ in length, alphabet and layout."""
    fields = {
        "id": f"evt_{number}",
        "object": "event",
        "type": ["payment_intent.succeeded", "charge.refunded", "customer.created"][number % 3],
        "data": {"object": {"description": ["plain", "Größe é", "کلید 書 🔑", 'quote " and \\ '][number % 4] * (number % 7)}},
    }
    layout = [{"separators": (",", ":")}, {"indent": 2, "sort_keys": True}, {"ensure_ascii": False}][number % 3]
    return json.dumps(fields, **layout)


def library_accepts(body, header, secrets, now):
    """The library's verdict, with its clock set to `now`."""
    for secret in secrets:
        try:
            real, stripe._webhook.time.time = stripe._webhook.time.time, lambda: now
            try:
                stripe.WebhookSignature.verify_header(body, header, secret, 300)
            finally:
                stripe._webhook.time.time = real
            return True
        except Exception:  # the library ends in several kinds of error on headers that are none
            continue
    return False


def cases():
    """Name, body, header, secrets, now, and whether we must be stricter than the library."""
    for number in range(60):
        body = event(number)
        header = sign(body, SECRET, timestamp=NOW)
        signature = header.split("v1=")[1]
        other = sign(body, "whsec_other", timestamp=NOW).split("v1=")[1]
        yield "genuine", body, header, [SECRET], NOW, False
        yield "old and new secret live", body, header, ["whsec_new", SECRET], NOW, False
        yield "signed with both", body, f"t={NOW},v1={other},v1={signature}", [SECRET], NOW, False
        yield "another scheme beside", body, f"t={NOW},v1={signature},v0={other}", [SECRET], NOW, False
        yield "as late as it may be", body, header, [SECRET], NOW + 299, False
        yield "retired secret", body, header, ["whsec_new"], NOW, False
        yield "stale", body, header, [SECRET], NOW + 302, False
        yield "from the future", body, header, [SECRET], NOW - 302, True
        yield "far from the future", body, sign(body, SECRET, timestamp=NOW + 100_000), [SECRET], NOW, True
        yield "another moment", body, f"t={NOW + 1},v1={signature}", [SECRET], NOW, False
        yield "a moment with a sign", body, f"t=+{NOW},v1={signature}", [SECRET], NOW, True
        yield "a moment twice", body, f"t={NOW},t={NOW},v1={signature}", [SECRET], NOW, True
        yield "no moment", body, f"v1={signature}", [SECRET], NOW, False
        yield "no signature", body, f"t={NOW}", [SECRET], NOW, False
        yield "only the old scheme", body, f"t={NOW},v0={signature}", [SECRET], NOW, False
        yield "shouted", body, f"t={NOW},v1={signature.upper()}", [SECRET], NOW, False
        yield "body written anew", json.dumps(json.loads(body), indent=1), header, [SECRET], NOW, False
        yield "body with a mark in front", "\ufeff" + body, header, [SECRET], NOW, False
        yield "body with a line after", body + "\n", header, [SECRET], NOW, False
        for length in range(0, len(header), 9):
            yield "header cut short", body, header[:length], [SECRET], NOW, False
        for length in range(0, len(body), 11):
            yield "body cut short", body[:length], header, [SECRET], NOW, False
        for place in range(len(signature)):
            swapped = signature[:place] + ("0" if signature[place] != "0" else "1") + signature[place + 1 :]
            yield "one digit of the signature", body, f"t={NOW},v1={swapped}", [SECRET], NOW, False
        for place in range(0, len(body), 5):
            changed = body[:place] + chr(ord(body[place]) ^ 1) + body[place + 1 :]
            yield "one letter of the body", changed, header, [SECRET], NOW, False


def main():
    accepted = refused = stricter = 0
    wrong = []
    with Adapter() as adapter:
        for name, body, header, secrets, now, strict in cases():
            theirs = library_accepts(body, header, secrets, now)
            question = {"secrets": secrets, "header": header, "body": body, "now": now}
            ours = "accepted" in adapter.ask(verify=question)
            expected = theirs and not strict
            if ours != expected or (strict and not theirs):
                wrong.append(f"{name}: ours {ours}, the library {theirs}: {header}")
            accepted += ours
            refused += not ours
            stricter += theirs and not ours
        missing = adapter.ask(verify={"secrets": [SECRET], "header": None, "body": event(1), "now": NOW})
        if missing != {"refused": "signature_missing"}:
            wrong.append(f"without a header: {missing}")
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    print(f"{accepted} accepted, {refused} refused, {stricter} of them by us alone, {len(wrong)} disagreements")
    if wrong or accepted < 300 or stricter == 0:
        sys.exit(1)


if __name__ == "__main__":
    main()
