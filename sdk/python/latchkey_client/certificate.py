"""The certificate: what the shop says about a license, signed, to be checked without asking. A JWT (RFC 7519) with
one algorithm, EdDSA over Ed25519 (RFC 8037), and one type. The header chooses nothing but which key is tried.
"""

import json

from . import base64url, ed25519

MAX_CERTIFICATE_BYTES = 64 * 1024
_TYPE = "license+jwt"
_TEXTS = ("jti", "fingerprint", "activation", "nonce")


class CertificateError(ValueError):
    """Why a certificate was refused, as a stable word in `code`."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def verify(certificate, keys, now, leeway, product=None, fingerprint=None):
    """What a certificate says, as a dict, if one of these keys signed it and it counts at this time, in seconds since
    1970, for this product and on this device where they are given. Raises CertificateError."""
    _require_length(certificate)
    claims = _read_claims(signed_claims(certificate, _TYPE, keys))
    if claims["nbf"] is not None and claims["nbf"] > now + leeway:
        raise CertificateError("not_yet_valid")
    if claims["exp"] + leeway <= now:
        raise CertificateError("expired")
    if product is not None and claims["aud"] != product:
        raise CertificateError("wrong_product")
    if fingerprint is not None and claims["fingerprint"] not in (None, fingerprint):
        raise CertificateError("wrong_device")
    return claims


def signed_claims(token, kind, keys):
    """The claims of a token of this type, as they were signed by one of these keys: an object, or None where they are
    none. Raises CertificateError."""
    signed, header, claims, signature = _split(token)
    key = keys.find(_read_header(_decode(header), kind))
    if key is None:
        raise CertificateError("unknown_key")
    signature = _decode(signature)
    if len(signature) != 64:
        raise CertificateError("bad_encoding")
    if not ed25519.has_signed(key, signed.encode(), signature):
        raise CertificateError("bad_signature")
    return _object(_decode(claims))


def key_id(certificate):
    """The name of the key that a certificate says it is signed with; proves nothing. Raises CertificateError."""
    _require_length(certificate)
    return _read_header(_decode(_split(certificate)[1]), _TYPE)


def _require_length(certificate):
    if len(certificate.encode("utf-8", "surrogatepass")) > MAX_CERTIFICATE_BYTES:
        raise CertificateError("too_long")


def _split(certificate):
    parts = certificate.split(".")
    if len(parts) != 3:
        raise CertificateError("not_a_token")
    header, claims, signature = parts
    return f"{header}.{claims}", header, claims, signature


def _decode(part):
    data = base64url.decode(part)
    if data is None:
        raise CertificateError("bad_encoding")
    return data


def _object(data):
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _read_header(data, kind):
    header = _object(data)
    texts = header is not None and all(isinstance(header.get(name), str | None) for name in ("typ", "kid"))
    if not texts or not isinstance(header.get("alg"), str):
        raise CertificateError("bad_header")
    if header["alg"] != "EdDSA":
        raise CertificateError("wrong_algorithm")
    if (header.get("typ") or "").lower() != kind:
        raise CertificateError("wrong_type")
    if header.get("crit") is not None:
        raise CertificateError("unknown_extension")
    if header.get("kid") is None:
        raise CertificateError("missing_key_id")
    return header["kid"]


def _read_claims(claims):
    claims = claims or {}
    license = claims.get("license")
    license = license if isinstance(license, dict) else {}
    features = license.get("features", [])
    read = {name: claims.get(name) for name in ("iss", "sub", "aud", "iat", "nbf", "exp", *_TEXTS)}
    read["license"] = {name: license.get(name) for name in ("state", "plan", "expires_at")} | {"features": features}
    understood = (
        all(isinstance(read[name], str) for name in ("iss", "sub", "aud"))
        and all(_is_time(read[name]) for name in ("iat", "exp"))
        and (read["nbf"] is None or _is_time(read["nbf"]))
        and all(isinstance(read[name], str | None) for name in _TEXTS)
        and all(isinstance(read["license"][name], str) for name in ("state", "plan"))
        and (read["license"]["expires_at"] is None or _is_time(read["license"]["expires_at"]))
        and isinstance(features, list)
        and all(isinstance(feature, str) for feature in features)
    )
    if not understood:
        raise CertificateError("bad_claims")
    return read


def _is_time(value):
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
