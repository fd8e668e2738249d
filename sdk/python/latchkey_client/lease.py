"""The state machine: from what is kept, a time, and perhaps an answer, to what is kept now and the outcome. Reads no
clock and sends nothing. The same rules, by the same names, stand in every client library.
"""

import json
from dataclasses import dataclass, replace

from .certificate import CertificateError, key_id, verify
from .key_code import KeyCodeError, parse_key
from .key_set import KeySet, KeySetError
from .message import message
from .outcome import License, Outcome
from .signed_key import signed_key_code

LEEWAY_SECONDS = 300
ROLLBACK_SECONDS = 86_400
NOTICE_SECONDS = 60
_VERSION = 1
_PATHS = {
    "inquire": "/v1/licenses/validate",
    "validate": "/v1/licenses/validate",
    "activate": "/v1/licenses/activate",
    "heartbeat": "/v1/licenses/heartbeat",
    "deactivate": "/v1/licenses/deactivate",
}


@dataclass(frozen=True)
class Settings:
    """What the program knows about itself: the shop's address; the product's id (`prod_…`); what tells this device
    from another, any text of up to 255 characters that stays the same; the shop's public keys as of when the program
    was built, then no others count, or None to fetch and keep them; the language of messages."""

    shop_url: str
    product: str
    fingerprint: str
    keys: KeySet | None = None
    language: str = "en"

    def __post_init__(self):
        object.__setattr__(self, "shop_url", self.shop_url.rstrip("/"))


@dataclass(frozen=True)
class Pending:
    """A request for a seat that somebody carries to the shop: the license key and the name of the device in it, what
    the answer must repeat, and the request itself."""

    key: str
    name: str | None
    nonce: str
    text: str

    @classmethod
    def read(cls, stored):
        """What was stored, or None where nothing was. Raises ValueError."""
        if stored is None:
            return None
        values = [stored.get(name) for name in ("key", "name", "nonce", "text")]
        if not all(isinstance(value, str) or (value is None and at == 1) for at, value in enumerate(values)):
            raise ValueError("not a request")
        return cls(*values)


@dataclass(frozen=True)
class Kept:
    """What is kept between two runs. Holds the license key, so its text belongs where only the user reads it."""

    key: str | None = None
    certificate: str | None = None
    refused: str | None = None
    keys: KeySet | None = None
    issued_at: int = 0
    highest_time: int = 0
    license: str | None = None
    activation: str | None = None
    refused_at: int | None = None
    request: Pending | None = None
    released: str | None = None
    release_request: str | None = None

    @classmethod
    def from_text(cls, text):
        """Reads what `to_text` wrote. A text that cannot be read is as good as none."""
        try:
            stored = json.loads(text)
            texts = [stored.get(name) for name in ("key", "certificate", "refused")]
            times = [stored["issued_at"], stored["highest_time"]]
            seat = [stored.get(name) for name in ("license", "activation")]
            given_back = [stored.get(name) for name in ("released", "release_request")]
            refused_at = stored.get("refused_at")
            request = Pending.read(stored.get("request"))
            understood = (
                stored.get("version") == _VERSION
                and all(isinstance(value, str | None) for value in texts + seat + given_back)
                and all(isinstance(value, int) for value in times)
                and isinstance(refused_at, int | None)
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls()
        if not understood:
            return cls()
        try:
            keys = None if stored.get("jwks") is None else KeySet.parse(json.dumps(stored["jwks"]))
        except KeySetError:
            keys = None
        return cls(*texts, keys, *times, *seat, refused_at, request, *given_back)

    def to_text(self):
        """The text to keep: JSON, the same in every language."""
        return json.dumps(
            {
                "version": _VERSION,
                "key": self.key,
                "certificate": self.certificate,
                "refused": self.refused,
                "jwks": None if self.keys is None else self.keys.to_jwks(),
                "issued_at": self.issued_at,
                "highest_time": self.highest_time,
                "license": self.license,
                "activation": self.activation,
                "refused_at": self.refused_at,
                "request": None if self.request is None else vars(self.request),
                "released": self.released,
                "release_request": self.release_request,
            }
        )

    def seen(self, now):
        """The same after this time was seen. Moves in steps, so that a look does not always write."""
        return replace(self, highest_time=now) if now >= self.highest_time + NOTICE_SECONDS else self


    def given_back(self):
        """What is left when the seat is given back: the times, the shop's keys, and which seat it was."""
        released = self.released if self.activation is None else self.activation
        return Kept(keys=self.keys, issued_at=self.issued_at, highest_time=self.highest_time, released=released)


def request(call, settings, key, device_name=None):
    """The question as it is sent: its address and its body."""
    body = {"key": key}
    if call != "inquire":
        body["fingerprint"] = settings.fingerprint
    if call in ("inquire", "validate"):
        body["product"] = settings.product
    if call == "activate" and device_name is not None:
        body["name"] = device_name
    return settings.shop_url + _PATHS[call], body


def typed(settings, text):
    """The key that a person typed, in its one proper form, and None; or None and why it is none, told without asking
    anybody. Of a signed key it is the short one in it, which the shop is asked by. A text that is no key of ours may be
    one that was brought along from elsewhere, and is left as it is."""
    signed = signed_key_code(text)
    if signed is not None:
        return signed, None
    try:
        return parse_key(text), None
    except KeyCodeError as error:
        code = {"empty": "key_missing", "wrong_check_symbols": "key_mistyped"}.get(error.code)
        return (text.strip(), None) if code is None else (None, outcome(settings, "refused", code))


def wants_keys(call, settings, kept, reply):
    """Whether the shop's public keys have to be fetched before this answer can be settled."""
    kind, certificate, _ = read(call, reply)
    if kind != "certificate" or settings.keys is not None:
        return False
    try:
        return trusted(settings, kept).find(key_id(certificate)) is None
    except CertificateError:
        return False


def look(settings, kept, now):
    """How the license stands by what is kept, without asking: what is kept now, and the outcome."""
    return kept.seen(now), look_only(settings, kept, now)


def look_only(settings, kept, now):
    # What came as a file has no key.
    if kept.key is None and kept.certificate is None:
        return outcome(settings, "refused", "not_activated")
    if kept.refused is not None:
        return outcome(settings, "refused", kept.refused)
    if now + ROLLBACK_SECONDS < kept.highest_time:
        return outcome(settings, "undetermined", "clock_rolled_back")
    try:
        claims = verify(
            kept.certificate or "",
            trusted(settings, kept),
            now,
            LEEWAY_SECONDS,
            settings.product,
            settings.fingerprint,
        )
    except CertificateError as error:
        return outcome(settings, "undetermined", lease_code(error.code))
    if now < refresh_at(claims):
        return outcome(settings, "valid", "valid", claims=claims)
    return outcome(settings, "grace", "refresh_due", claims=claims)


def lease_code(code):
    named = {"expired": "lease_ended", "not_yet_valid": "clock_rolled_back"}
    return named.get(code, code if code in ("wrong_product", "wrong_device") else "lease_damaged")


def settle(call, settings, kept, key, now, reply):
    """What an answer changes: what is kept now, and the outcome. None as outcome after "inquire": nothing speaks
    against activating."""
    kind, text, said = read(call, reply)
    if kind == "certificate":
        certificate = text
        kind, text, claims = _accept(settings, kept, now, certificate)
        said = None
        if kind == "yes":
            return _settle_yes(settings, kept, key, now, certificate, claims)
    if kind == "proceed":
        return kept.seen(now), None
    if kind == "released":
        return kept.seen(now).given_back(), outcome(settings, "released", "released")
    if kind == "no":
        kept = kept.seen(now)
        # A "no" about another key than the one that works here takes nothing away.
        if kept.key == key:
            kept = replace(kept, certificate=None, refused=text, refused_at=now)
        return kept, outcome(settings, "refused", text, said)
    return kept.seen(now), _settle_unclear(call, settings, kept, key, now, text, said)


def _accept(settings, kept, now, certificate):
    """Whether the shop's proof holds. It must, here and now: an answer can be made up, a signature cannot."""
    try:
        claims = verify(certificate, trusted(settings, kept), now, LEEWAY_SECONDS)
    except CertificateError as error:
        if error.code in ("expired", "not_yet_valid"):
            return "unclear", "clock_wrong", None
        return "unclear", "unknown_key" if error.code == "unknown_key" else "certificate_refused", None
    if claims["aud"] != settings.product:
        return "no", "wrong_product", None
    is_older = claims["iat"] + LEEWAY_SECONDS < kept.issued_at
    if claims["fingerprint"] not in (None, settings.fingerprint) or is_older:
        return "unclear", "certificate_refused", None
    if claims["iat"] > now + ROLLBACK_SECONDS:
        return "unclear", "clock_wrong", None
    if claims["license"]["state"] != "active":
        return "no", claims["license"]["state"], None
    return "yes", None, claims


def _settle_yes(settings, kept, key, now, certificate, claims):
    # A newer certificate is the shop's word about the time, and the only thing that lowers the highest time: a
    # device whose clock was once far ahead works again when the shop was asked.
    seen = claims["iat"] if claims["iat"] >= kept.issued_at else kept.highest_time
    kept = Kept(
        key=key,
        certificate=certificate,
        keys=kept.keys,
        issued_at=max(claims["iat"], kept.issued_at),
        highest_time=max(seen, now),
        license=claims["sub"],
        activation=claims["activation"],
        # The shop gives the same seat again as long as nobody told it that it is free.
        released=None if kept.released == claims["activation"] else kept.released,
    )
    return kept, outcome(settings, "valid", "valid", claims=claims)


def _settle_unclear(call, settings, kept, key, now, code, said):
    """When nobody can tell, the license stands as it stood; what works is called grace and carries the reason."""
    concerns_lease = call in ("validate", "heartbeat") or (call != "deactivate" and kept.key == key)
    if not concerns_lease:
        return outcome(settings, "undetermined", code, said)
    stood = look_only(settings, kept, now)
    if not stood.usable:
        return stood
    return replace(stood, state="grace", code=code, message=said or message(code, settings.language))


def read(call, reply):
    """What an answer means, as (kind, text, message): certificate, proceed, released, no with its code, or unclear
    with its code. An answer that is not plainly the shop's own "yes" or "no" means that nobody can tell."""
    if reply.failure is not None:
        return "unclear", reply.failure, None
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    code, detail = _text(answer, "code"), _text(answer, "detail")
    meaning = None
    if reply.status in (200, 201):
        meaning = _yes(call, answer, code, detail)
    elif reply.status in (403, 404, 409) and code is not None:
        meaning = _no(call, code, detail)
    if meaning is not None:
        return meaning
    if reply.status >= 500 or reply.status in (408, 429):
        return "unclear", "unavailable", None
    if reply.status >= 400 and code is not None and detail is not None:
        return "unclear", code, detail
    return "unclear", "answer_unreadable", None


def _yes(call, answer, code, detail):
    certificate = _text(answer, "certificate")
    proof = None if certificate is None else ("certificate", certificate, None)
    if call in ("inquire", "validate"):
        valid = answer.get("valid")
        if not isinstance(valid, bool) or code is None:
            return None
        if not valid:
            return "no", code, detail
        return ("proceed", None, None) if call == "inquire" else proof
    if not isinstance(answer.get("activation"), dict):
        return None
    if call == "deactivate":
        return "released", None, None
    license = answer.get("license")
    standing = _text(license, "state") if isinstance(license, dict) else None
    if standing is None:
        return None
    # A seat of a license that does not work now is alive, and is told how the license stands instead.
    return proof or (("no", standing, None) if standing != "active" else None)


def _no(call, code, detail):
    if call == "deactivate" and code == "not_activated":
        return "released", None, None
    if code.startswith("license_"):
        return "no", code.removeprefix("license_"), detail
    return ("no", code, detail) if code in ("not_activated", "seat_limit_reached") else None


def _text(answer, name):
    value = answer.get(name)
    return value if isinstance(value, str) else None


def trusted(settings, kept):
    return next((keys for keys in (settings.keys, kept.keys) if keys is not None), KeySet())


def refresh_at(claims):
    return claims["iat"] + max(claims["exp"] - claims["iat"], 0) // 2


def outcome(settings, state, code, said=None, claims=None):
    portal_url = settings.shop_url + "/portal"
    said = said if said is not None else message(code, settings.language)
    if claims is None:
        return Outcome(state, code, said, portal_url)
    bought = claims["license"]
    license = License(claims["sub"], claims["aud"], bought["plan"], bought["features"], bought["expires_at"])
    return Outcome(state, code, said, portal_url, license, claims["exp"], refresh_at(claims))
