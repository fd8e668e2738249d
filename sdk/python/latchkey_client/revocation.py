"""The revocation list: what the shop took back although certificates of it may still count, signed."""

from .certificate import CertificateError, signed_claims

MAX_REVOCATIONS_BYTES = 1024 * 1024
_TYPE = "license-revocations+jwt"


def verify_revocations(text, keys):
    """The entries of a list that one of these keys signed, as (id, code, time) each. Raises CertificateError."""
    text = text.strip()
    if len(text.encode("utf-8", "surrogatepass")) > MAX_REVOCATIONS_BYTES:
        raise CertificateError("too_long")
    claims = signed_claims(text, _TYPE, keys) or {}
    entries = claims.get("revoked")
    understood = (
        isinstance(claims.get("iss"), str)
        and _is_time(claims.get("iat"))
        and isinstance(entries, list)
        and all(isinstance(entry, list) and len(entry) == 3 for entry in entries)
        and all(isinstance(id, str) and isinstance(code, str) and _is_time(at) for id, code, at in entries)
    )
    if not understood:
        raise CertificateError("bad_claims")
    return [tuple(entry) for entry in entries]


def named(entries, claims):
    """The entry that is about the license or the seat of this certificate, unless that was signed later."""
    subjects = (claims["sub"], claims["activation"])
    return next((entry for entry in entries if entry[0] in subjects and claims["iat"] <= entry[2]), None)


def _is_time(value):
    return isinstance(value, int) and not isinstance(value, bool)
