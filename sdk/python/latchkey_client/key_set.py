"""The public keys that certificates are checked against: a JWK set (RFC 7517) of Ed25519 keys (RFC 8037), each named
by its thumbprint (RFC 7638). Never holds a private key, and refuses a set with one.
"""

import hashlib
import json

from . import base64url, ed25519


class KeySetError(ValueError):
    """Why a set as a whole was refused: `code` is not_a_key_set, bad_key, weak_key, wrong_key_id or private_key."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class KeySet:
    """Public keys by name."""

    def __init__(self, keys=None):
        self._keys = dict(keys or {})

    def __eq__(self, other):
        return isinstance(other, KeySet) and self._keys == other._keys

    @classmethod
    def parse(cls, text):
        """Reads a JWK set as the shop publishes it. Keys of other kinds are passed over. Raises KeySetError."""
        try:
            published = json.loads(text)
        except (ValueError, RecursionError):
            raise KeySetError("not_a_key_set") from None
        jwks = published.get("keys") if isinstance(published, dict) else None
        if not isinstance(jwks, list) or not all(_is_jwk(jwk) for jwk in jwks):
            raise KeySetError("not_a_key_set")
        keys = {}
        for jwk in jwks:
            if jwk.get("d") is not None:
                raise KeySetError("private_key")
            for_signatures = jwk.get("use") in (None, "sig") and jwk.get("alg") in (None, "EdDSA", "Ed25519")
            if jwk["kty"] != "OKP" or jwk.get("crv") != "Ed25519" or not for_signatures:
                continue
            key = base64url.decode(jwk.get("x") or "")
            if key is None or not ed25519.is_point(key):
                raise KeySetError("bad_key")
            if ed25519.is_weak(key):
                raise KeySetError("weak_key")
            kid = _thumbprint(key)
            if jwk.get("kid") not in (None, kid):
                raise KeySetError("wrong_key_id")
            keys[kid] = key
        return cls(keys)

    def to_jwks(self):
        """The set as it is published, ready for JSON."""
        return {
            "keys": [
                {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(key), "kid": kid, "use": "sig", "alg": "EdDSA"}
                for kid, key in self._keys.items()
            ]
        }

    def kids(self):
        """The names of the keys."""
        return list(self._keys)

    def find(self, kid):
        """The key of this name, 32 bytes, or None."""
        return self._keys.get(kid)


def _is_jwk(jwk):
    texts = ("crv", "x", "kid", "use", "alg")
    return (
        isinstance(jwk, dict)
        and isinstance(jwk.get("kty"), str)
        and all(jwk.get(name) is None or isinstance(jwk[name], str) for name in texts)
    )


def _thumbprint(key):
    text = f'{{"crv":"Ed25519","kty":"OKP","x":"{base64url.encode(key)}"}}'
    return base64url.encode(hashlib.sha256(text.encode()).digest())
