"""The C library over the shared vectors, called as C calls it: `c_abi.py <liblatchkey_c.so>`. ctypes lays out the
structs of latchkey.h by hand, so it is also a second reader of the header.
"""

import ctypes
import json
import pathlib
import sys
import unittest
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_size_t, c_void_p

VECTORS = json.loads((pathlib.Path(__file__).resolve().parents[2] / "sdk/vectors.json").read_text(encoding="utf-8"))
STATES = ("valid", "grace", "refused", "undetermined", "released")


class SettingsView(Structure):
    _fields_ = [(name, c_char_p) for name in ("shop_url", "product", "fingerprint", "keys", "language", "file")]


SEND = CFUNCTYPE(c_int, c_void_p, c_char_p, c_char_p, c_char_p, c_void_p)
READ = CFUNCTYPE(c_int, c_void_p, c_void_p)
WRITE = CFUNCTYPE(c_int, c_void_p, c_char_p)
NOW = CFUNCTYPE(c_int64, c_void_p)
CHANCE = CFUNCTYPE(None, c_void_p, POINTER(ctypes.c_uint8), c_size_t)


class Callbacks(Structure):
    _fields_ = [("context", c_void_p), ("send", SEND), ("read", READ), ("write", WRITE), ("now", NOW), ("chance", CHANCE)]


class OutcomeView(Structure):
    _fields_ = [
        ("state", c_int),
        ("usable", c_int),
        *((name, c_char_p) for name in ("code", "message", "portal_url", "license_id", "product", "plan")),
        ("features", POINTER(c_char_p)),
        ("features_count", c_size_t),
        *((name, c_int64) for name in ("license_expires_at", "carries_until", "refresh_at")),
        *((name, c_char_p) for name in ("request", "request_url")),
    ]


class SignedKeyView(Structure):
    _fields_ = [
        *((name, c_char_p) for name in ("key", "license", "product", "plan")),
        ("features", POINTER(c_char_p)),
        ("features_count", c_size_t),
        ("feature_values", c_char_p),
        *((name, c_int64) for name in ("issued_at", "expires_at", "updates_until", "seats")),
        ("trial", c_int),
    ]


LIBRARY = ctypes.CDLL(sys.argv.pop(1))
LIBRARY.latchkey_open.restype = c_void_p
LIBRARY.latchkey_open.argtypes = [POINTER(SettingsView), POINTER(Callbacks)]
LIBRARY.latchkey_close.argtypes = [c_void_p]
LIBRARY.latchkey_text_append.argtypes = [c_void_p, c_char_p, c_size_t]
LIBRARY.latchkey_verify_signed_key.restype = POINTER(SignedKeyView)
LIBRARY.latchkey_verify_signed_key.argtypes = [c_char_p, c_char_p, c_char_p, c_int64, c_char_p]
LIBRARY.latchkey_free_signed_key.argtypes = [POINTER(SignedKeyView)]
LIBRARY.latchkey_verify.argtypes = [c_char_p, c_char_p, c_char_p, c_char_p, c_int64, c_char_p]
TAKES = {"activate": 2, "request_activation": 2, "install": 1, "check_revocations": 1}
for call in (*TAKES, "validate", "heartbeat", "deactivate", "status", "refresh", "request_release"):
    function = getattr(LIBRARY, f"latchkey_{call}")
    function.restype = POINTER(OutcomeView)
    function.argtypes = [c_void_p, *[c_char_p] * TAKES.get(call, 0)]


def encoded(text):
    return None if text is None else text.encode()


def decoded(text):
    return None if text is None else text.decode()


class Vectors(unittest.TestCase):
    maxDiff = None

    def test_keys(self):
        for row in VECTORS["keys"]:
            if "\0" not in row["text"]:
                canonical, code = ctypes.create_string_buffer(40), ctypes.create_string_buffer(40)
                holds = LIBRARY.latchkey_check_key(encoded(row["text"]), canonical, code)
                found = (holds, canonical.value.decode() or None, code.value.decode() or None)
                self.assertEqual(found, (int(row["error"] is None), row["key"], row["error"]), row["text"])

    def test_key_sets(self):
        for row in VECTORS["key_sets"]:
            code = ctypes.create_string_buffer(40)
            holds = LIBRARY.latchkey_check_keys(encoded(row["jwks"]), code)
            self.assertEqual((holds, code.value.decode() or None), (int(row["error"] is None), row["error"]), row["name"])

    def test_certificates(self):
        keys = json.dumps(VECTORS["jwks"]).encode()
        for row in VECTORS["certificates"]:
            code = ctypes.create_string_buffer(40)
            given = (row["certificate"].encode(), keys, row["product"].encode(), row["fingerprint"].encode(), row["now"])
            holds = LIBRARY.latchkey_verify(*given, code)
            self.assertEqual((holds, code.value.decode() or None), (int(row["error"] is None), row["error"]), row["name"])

    def test_signed_keys(self):
        keys = json.dumps(VECTORS["jwks"]).encode()
        for row in VECTORS["signed_keys"]:
            code = ctypes.create_string_buffer(40)
            given = (row["text"].encode(), keys, row["product"].encode(), row["now"])
            view = LIBRARY.latchkey_verify_signed_key(*given, code)
            found = (signed_key_of(view.contents) if view else None, code.value.decode() or None)
            self.assertEqual(found, (row["says"], row["error"]), row["name"])
            LIBRARY.latchkey_free_signed_key(view)
            again = LIBRARY.latchkey_verify_signed_key(*given, None)
            self.assertEqual(bool(again), row["error"] is None, row["name"])
            LIBRARY.latchkey_free_signed_key(again)

    def test_license_files_are_verified_as_the_certificates_in_them(self):
        keys = json.dumps(VECTORS["jwks"]).encode()
        good = VECTORS["certificates"][0]
        for row in VECTORS["files"]:
            given = (row["text"].encode(), keys, good["product"].encode(), good["fingerprint"].encode(), good["now"])
            self.assertEqual(LIBRARY.latchkey_verify(*given, None), int(row["error"] is None), row["name"])

    def test_journeys(self):
        for row in VECTORS["journeys"]:
            keep = {"text": None}
            for step in row["steps"]:
                outcome, asked = self.step(row["pinned"], keep, step)
                name = f"{row['name']}: {step['call']} at {step['now']}"
                self.assertEqual(outcome, step["outcome"], name)
                self.assertEqual(asked, [(entry["url"], entry["body"]) for entry in step["exchanges"]], name)
                none = ("key", "certificate", "refused", "jwks", "license", "activation", "refused_at", "request", "released", "release_request")
                nothing = {"version": 1, "issued_at": 0, "highest_time": 0} | dict.fromkeys(none)
                self.assertEqual(json.loads(keep["text"]) if keep["text"] else nothing, step["kept"], name)

    def step(self, pinned, keep, step):
        """One step by a client of its own. Gives the outcome and what was asked."""
        asked = []

        def send(_, url, body, language, answer):
            assert language == b"en"
            asked.append((url.decode(), None if body is None else json.loads(body)))
            reply = step["exchanges"][len(asked) - 1]["reply"]
            if isinstance(reply, str):
                return {"timeout": -1, "network": 0}[reply]
            # In two pieces, as from a network.
            body = reply["body"].encode()
            for piece in (body[:7], body[7:]):
                LIBRARY.latchkey_text_append(answer, piece, len(piece))
            return reply["status"]

        def read(_, text):
            kept = (keep["text"] or "").encode()
            LIBRARY.latchkey_text_append(text, kept, len(kept))
            return 0

        def write(_, text):
            keep["text"] = text.decode()
            return 0

        def chance(_, bytes, length):
            ctypes.memset(bytes, step["chance"], length)

        callbacks = Callbacks(None, SEND(send), READ(read), WRITE(write), NOW(lambda _: step["now"]), CHANCE(chance))
        settings = SettingsView(**{name: value.encode() for name, value in VECTORS["settings"].items()})
        if pinned:
            settings.keys = json.dumps(VECTORS["jwks"]).encode()
        client = LIBRARY.latchkey_open(settings, callbacks)
        self.assertTrue(client)
        function = getattr(LIBRARY, f"latchkey_{step['call']}")
        name = b"Device 7" if step["call"] == "request_activation" else None
        given = {1: (encoded(step["text"]),), 2: (encoded(step["key"]), name)}.get(TAKES.get(step["call"]), ())
        view = function(client, *given)
        outcome = outcome_of(view.contents)
        LIBRARY.latchkey_close(client)
        return outcome, asked

    def test_messages_are_in_the_language_of_the_settings(self):
        german = {row["code"]: row["de"] for row in VECTORS["messages"]}
        settings = SettingsView(**{name: value.encode() for name, value in VECTORS["settings"].items()}, language=b"de-AT")
        silent = Callbacks(None, SEND(lambda *_: 0), READ(lambda *_: 0), WRITE(lambda *_: 0))
        client = LIBRARY.latchkey_open(settings, silent)
        # One after the other: an outcome lives until the next call.
        for act in (LIBRARY.latchkey_status, lambda client: LIBRARY.latchkey_activate(client, b"0" * 27 + b"1", None)):
            view = act(client).contents
            self.assertEqual(view.message.decode(), german[view.code.decode()])
        LIBRARY.latchkey_close(client)

    def test_what_cannot_be_read_gives_nothing_and_harms_nothing(self):
        settings = SettingsView(**{name: value.encode() for name, value in VECTORS["settings"].items()})
        deaf = Callbacks(None, SEND(lambda *_: 0), READ(lambda *_: 1), WRITE(lambda *_: 0))
        self.assertIsNone(LIBRARY.latchkey_open(None, None))
        self.assertIsNone(LIBRARY.latchkey_open(settings, Callbacks()))
        self.assertIsNone(LIBRARY.latchkey_open(settings, deaf))
        settings.keys = b"no keys"
        self.assertIsNone(LIBRARY.latchkey_open(settings, Callbacks(None, SEND(lambda *_: 0), READ(lambda *_: 0), WRITE(lambda *_: 0))))
        self.assertFalse(LIBRARY.latchkey_status(None))
        self.assertFalse(LIBRARY.latchkey_activate(None, None, None))
        self.assertFalse(LIBRARY.latchkey_request_activation(None, None, None))
        self.assertFalse(LIBRARY.latchkey_install(None, None))
        self.assertFalse(LIBRARY.latchkey_check_revocations(None, b""))
        LIBRARY.latchkey_close(None)
        self.assertEqual(LIBRARY.latchkey_check_key(None, None, None), 0)
        self.assertFalse(LIBRARY.latchkey_verify_signed_key(None, None, None, 0, None))
        LIBRARY.latchkey_free_signed_key(None)
        full = Callbacks(None, SEND(lambda *_: 0), READ(lambda *_: 0), WRITE(lambda *_: 1))
        settings.keys = None
        client = LIBRARY.latchkey_open(settings, full)
        self.assertFalse(LIBRARY.latchkey_status(client), "what cannot be kept is told")
        LIBRARY.latchkey_close(client)


def signed_key_of(view):
    return {
        **{name: decoded(getattr(view, name)) for name in ("key", "license", "product", "plan")},
        "features": [decoded(view.features[at]) for at in range(view.features_count)],
        "feature_values": json.loads(decoded(view.feature_values)),
        "issued_at": view.issued_at,
        "expires_at": view.expires_at or None,
        "updates_until": view.updates_until or None,
        "seats": None if view.seats < 0 else view.seats,
        "trial": bool(view.trial),
    }


def outcome_of(view):
    license = None
    if view.license_id is not None:
        license = {
            "id": decoded(view.license_id),
            "product": decoded(view.product),
            "plan": decoded(view.plan),
            "features": [decoded(view.features[at]) for at in range(view.features_count)],
            "expires_at": view.license_expires_at or None,
        }
    return {
        "state": STATES[view.state],
        "code": decoded(view.code),
        "message": decoded(view.message),
        "usable": bool(view.usable),
        "portal_url": decoded(view.portal_url),
        "license": license,
        "carries_until": view.carries_until or None,
        "refresh_at": view.refresh_at or None,
        "request": decoded(view.request),
        "request_url": decoded(view.request_url),
    }


if __name__ == "__main__":
    unittest.main()
