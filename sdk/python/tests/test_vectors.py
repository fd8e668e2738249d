"""The shared vectors: every client library agrees on each of them. Run with `python3 -m unittest discover -s tests`."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from latchkey_client import (  # noqa: E402
    MESSAGES,
    CertificateError,
    Client,
    Kept,
    KeyCodeError,
    KeySet,
    KeySetError,
    LicenseFileError,
    MemoryStorage,
    Reply,
    Settings,
    SignedKeyError,
    message,
    parse_key,
    read_license_file,
    verify,
    verify_revocations,
    verify_signed_key,
)
from latchkey_client import base64url, ed25519, lease, offline_request, revocation, signed_key  # noqa: E402

VECTORS = json.loads((pathlib.Path(__file__).resolve().parents[2] / "vectors.json").read_text(encoding="utf-8"))


def told(errors, work):
    """What came out, and the code of what was raised."""
    try:
        return work(), None
    except errors as error:
        return None, error.code


class Vectors(unittest.TestCase):
    maxDiff = None

    def rows(self, section):
        self.assertTrue(VECTORS[section])
        return VECTORS[section]

    def test_the_numbers_are_the_same(self):
        numbers = (lease.LEEWAY_SECONDS, lease.ROLLBACK_SECONDS, lease.NOTICE_SECONDS)
        self.assertEqual(numbers, tuple(VECTORS[f"{name}_seconds"] for name in ("leeway", "rollback", "notice")))

    def test_keys(self):
        for row in self.rows("keys"):
            self.assertEqual(told(KeyCodeError, lambda: parse_key(row["text"])), (row["key"], row["error"]), row["text"])

    def test_key_sets(self):
        for row in self.rows("key_sets"):
            read = told(KeySetError, lambda: KeySet.parse(row["jwks"]).kids())
            self.assertEqual(read, (row["kids"], row["error"]), row["name"])

    def test_signatures(self):
        for row in self.rows("signatures"):
            key, text, signature = (base64url.decode(row[name]) for name in ("public_key", "message", "signature"))
            self.assertEqual(ed25519.has_signed(key, text, signature), row["holds"], row["name"])

    def test_certificates(self):
        keys = KeySet.parse(json.dumps(VECTORS["jwks"]))
        for row in self.rows("certificates"):
            given = (row["certificate"], keys, row["now"], lease.LEEWAY_SECONDS, row["product"], row["fingerprint"])
            self.assertEqual(told(CertificateError, lambda: verify(*given)), (row["claims"], row["error"]), row["name"])

    def test_signed_keys(self):
        keys = KeySet.parse(json.dumps(VECTORS["jwks"]))
        for row in self.rows("signed_keys"):
            given = (row["text"], keys, row["now"], row["product"])
            read = told(SignedKeyError, lambda: verify_signed_key(*given))
            self.assertEqual(read, (row["says"], row["error"]), row["name"])
            self.assertEqual(signed_key.signed_key_code(row["text"]), row["code"], row["name"])

    def test_files(self):
        for row in self.rows("files"):
            read = told(LicenseFileError, lambda: read_license_file(row["text"]))
            self.assertEqual(read, (row["certificate"], row["error"]), row["name"])

    def test_requests(self):
        for row in self.rows("requests"):
            self.assertEqual(offline_request.request_text(row["key"], row["request"]), row["text"], row["name"])

    def test_revocations(self):
        keys = KeySet.parse(json.dumps(VECTORS["jwks"]))
        for row in self.rows("revocations"):
            entries, error = told(CertificateError, lambda: verify_revocations(row["text"], keys))
            entry = revocation.named(entries or [], row["claims"])
            self.assertEqual((entry and entry[1], error), (row["code"], row["error"]), row["name"])

    def test_messages(self):
        self.assertEqual(len(MESSAGES), len(VECTORS["messages"]))
        for row in self.rows("messages"):
            self.assertEqual((message(row["code"], "en"), message(row["code"], "de-AT")), (row["en"], row["de"]))

    def test_journeys(self):
        for row in self.rows("journeys"):
            keys = KeySet.parse(json.dumps(VECTORS["jwks"])) if row["pinned"] else None
            settings = Settings(**VECTORS["settings"], keys=keys)
            storage = MemoryStorage()
            for step in row["steps"]:
                script = Script(step["exchanges"])
                chance = lambda length: bytes([step["chance"]] * length)
                client = Client(settings, storage, script, lambda: step["now"], chance)
                act = getattr(client, step["call"])
                given = {"request_activation": (step["key"], "Device 7"), "activate": (step["key"],)}
                text = () if step["text"] is None else (step["text"],)
                outcome = act(*given.get(step["call"], text))
                name = f"{row['name']}: {step['call']} at {step['now']}"
                self.assertEqual(outcome_of(outcome), step["outcome"], name)
                self.assertEqual(script.asked, [(entry["url"], entry["body"]) for entry in step["exchanges"]], name)
                self.assertEqual(json.loads(client.kept.to_text()), step["kept"], name)
                self.assertEqual(Kept.from_text(storage.read() or "").to_text(), client.kept.to_text(), name)

    def test_a_text_that_cannot_be_read_is_as_good_as_none(self):
        for text in ("", "null", "[]", "{}", '{"version":2}', '{"version":1,"key":7,"issued_at":0,"highest_time":0}'):
            self.assertEqual(Kept.from_text(text), Kept(), text)


class Script:
    """Gives the replies in their order, and notes what was asked."""

    def __init__(self, exchanges):
        self._replies = [entry["reply"] for entry in exchanges]
        self.asked = []

    def send(self, url, body, language):
        assert language == "en"
        self.asked.append((url, body))
        reply = self._replies[len(self.asked) - 1]
        return Reply(failure=reply) if isinstance(reply, str) else Reply(reply["status"], reply["body"])


def outcome_of(outcome):
    return {
        "state": outcome.state,
        "code": outcome.code,
        "message": outcome.message,
        "usable": outcome.usable,
        "portal_url": outcome.portal_url,
        "license": None if outcome.license is None else vars(outcome.license),
        "carries_until": outcome.carries_until,
        "refresh_at": outcome.refresh_at,
        "request": outcome.request,
        "request_url": outcome.request_url,
    }


if __name__ == "__main__":
    unittest.main()
