"""The signed key: a license key whose text says what was bought, so that a program can read it and never has to ask.

`key/<dataset>.<signature>`: the dataset is JSON, and both are base64url with padding; the signature is Ed25519 over all
that stands before the dot. What happened after the key was issued, a refund for one, is not in it.
"""

import json
import re

from . import base64url, ed25519
from .key_code import DECORATION, KeyCodeError, parse_key

MAX_SIGNED_KEY_BYTES = 8 * 1024
_PREFIX = "key/"
_BETWEEN = re.compile(f"[{DECORATION}]")


class SignedKeyError(ValueError):
    """Why a signed key was refused, as a stable word in `code`."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def verify_signed_key(text, keys, now, product=None):
    """What a signed key says, as a dict, if one of these keys signed it and it counts at this time, in seconds since
    1970, for this product where it is given. Raises SignedKeyError."""
    text = _whole(text)
    signed, dataset, signature = _split(text)
    dataset, signature = _decode(dataset), _decode(signature)
    if len(signature) != 64:
        raise SignedKeyError("bad_encoding")
    said = _object(dataset)
    if not isinstance(said.get("kid"), str):
        raise SignedKeyError("missing_key_id")
    key = keys.find(said["kid"])
    if key is None:
        raise SignedKeyError("unknown_key")
    if not ed25519.has_signed(key, signed.encode(), signature):
        raise SignedKeyError("bad_signature")
    says = _says(said)
    if says is None:
        raise SignedKeyError("bad_claims")
    if says["expires_at"] is not None and says["expires_at"] <= now:
        raise SignedKeyError("expired")
    if product is not None and says["product"] != product:
        raise SignedKeyError("wrong_product")
    return says


def signed_key_code(text):
    """The short key in a text that means to be a signed key of the shop's, or None. Nothing is proven by it: it is for
    whoever asks the shop about it next."""
    try:
        says = _says(_object(_decode(_split(_whole(text))[1])))
    except SignedKeyError:
        return None
    return None if says is None else says["key"]


def _whole(text):
    if len(text.encode("utf-8", "surrogatepass")) > MAX_SIGNED_KEY_BYTES:
        raise SignedKeyError("too_long")
    return _BETWEEN.sub("", text)


def _split(text):
    signed, dot, signature = text.partition(".")
    if not dot or not signed.startswith(_PREFIX):
        raise SignedKeyError("not_a_signed_key")
    return signed, signed[len(_PREFIX) :], signature


def _decode(part):
    bare = part.rstrip("=")
    data = base64url.decode(bare) if len(part) % 4 == 0 and len(part) - len(bare) < 3 else None
    if data is None or len(part) - len(bare) != -len(bare) % 4:
        raise SignedKeyError("bad_encoding")
    return data


def _object(data):
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _says(said):
    """What a dataset says, or None where it does not say what a signed key says."""
    says = {name: said.get(name) for name in ("key", "license", "product", "plan", "issued_at", "expires_at")}
    says |= {"features": said.get("features", []), "feature_values": said.get("feature_values", {})}
    says |= {"seats": said.get("seats"), "updates_until": said.get("updates_until"), "trial": said.get("trial", False)}
    understood = (
        all(isinstance(says[name], str) for name in ("key", "license", "product", "plan"))
        and _is_proper(says["key"])
        and _is_number(says["issued_at"], -(2**63), 2**63)
        and all(says[name] is None or _is_number(says[name], -(2**63), 2**63) for name in ("expires_at", "updates_until"))
        and (says["seats"] is None or _is_number(says["seats"], 0, 2**32))
        and isinstance(says["features"], list)
        and all(isinstance(feature, str) for feature in says["features"])
        and isinstance(says["feature_values"], dict)
        and isinstance(says["trial"], bool)
    )
    return says if understood else None


def _is_proper(key):
    try:
        return parse_key(key) == key
    except KeyCodeError:
        return False


def _is_number(value, least, end):
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < end
