"""The state machine where there is no network: requests and license files that a person carries, and the revocation
list. Reads no clock and sends nothing. The same rules, by the same names, stand in every client library.
"""

from dataclasses import replace

from . import base64url
from .certificate import CertificateError, key_id, verify
from .lease import LEEWAY_SECONDS, ROLLBACK_SECONDS, Kept, Pending, lease_code, look_only, outcome, refresh_at, trusted, typed
from .license_file import LicenseFileError, read_license_file
from .message import message
from .offline_request import request_text
from .revocation import named, verify_revocations


def request_activation(settings, kept, key, device_name, nonce, now):
    """Asks for a seat: the outcome has the request. The same key and name come to the same request."""
    key, slip = typed(settings, key)
    if slip is not None:
        return kept, slip
    pending = kept.request
    if pending is None or (pending.key, pending.name) != (key, device_name):
        nonce = base64url.encode(nonce)
        text = _activation_text(settings, key, device_name, nonce, now)
        pending = Pending(key, device_name, nonce, text)
    stood = look_only(settings, kept, now)
    told = stood if stood.usable else outcome(settings, "undetermined", "file_awaited")
    return replace(kept.seen(now), request=pending), _with_request(settings, told, pending.text)


def _activation_text(settings, key, name, nonce, now):
    asked = {"do": "activate", "key": key, "product": settings.product, "fingerprint": settings.fingerprint}
    return request_text(key, asked | {"name": name, "nonce": nonce, "at": now})


def request_release(settings, kept, nonce, now):
    """Gives the seat back: nothing is left here, and the outcome has the request that frees the seat at the shop. Where
    no seat was taken there is no request."""
    told = outcome(settings, "released", "released")
    if kept.key is None and kept.certificate is None:
        if kept.release_request is not None:
            return kept, _with_request(settings, told, kept.release_request)
        return kept.seen(now), look_only(settings, kept, now)
    text = None
    if kept.activation is not None and kept.key is not None:
        asked = {"do": "release", "activation": kept.activation, "nonce": base64url.encode(nonce), "at": now}
        text = request_text(kept.key, asked)
        told = _with_request(settings, told, text)
    return replace(kept.seen(now).given_back(), release_request=text), told


def _with_request(settings, told, text):
    return replace(told, request=text, request_url=f"{settings.shop_url}/activate#{text}")


def file_wants_keys(settings, kept, file):
    """Whether the shop's public keys have to be fetched before a license file can be installed."""
    if settings.keys is not None:
        return False
    try:
        return trusted(settings, kept).find(key_id(read_license_file(file))) is None
    except (LicenseFileError, CertificateError):
        return False


def install(settings, kept, file, now):
    """Takes a license file."""
    try:
        certificate = read_license_file(file)
    except LicenseFileError:
        return kept.seen(now), _stands(settings, kept, now, "file_unreadable")
    if certificate == kept.certificate:
        # What is here already changes nothing, whatever it answered then.
        return kept.seen(now), look_only(settings, kept, now)
    try:
        claims = verify(
            certificate, trusted(settings, kept), now, LEEWAY_SECONDS, settings.product, settings.fingerprint
        )
        code = _speaks_against(kept, claims, now)
    except CertificateError as error:
        code = "unknown_key" if error.code == "unknown_key" else lease_code(error.code)
        code = "certificate_refused" if code == "lease_damaged" else code
    if code is not None:
        return kept.seen(now), _stands(settings, kept, now, code)
    return _installed(settings, kept, now, certificate, claims)


def _speaks_against(kept, claims, now):
    """Why a file is not believed here and now, though the shop signed it."""
    is_answer = _is_answer(kept, claims)
    if claims["nonce"] is not None and not is_answer:
        return "file_not_awaited"
    # A file that answers no request of this moment may have been kept for long: it undoes nothing.
    is_older = (kept.refused_at is not None and claims["iat"] <= kept.refused_at) or (
        claims["activation"] is not None and claims["activation"] == kept.released
    )
    if (is_older and not is_answer) or claims["iat"] + LEEWAY_SECONDS < kept.issued_at:
        return "file_outdated"
    if claims["iat"] > now + ROLLBACK_SECONDS:
        return "clock_wrong"
    if not is_answer and now + ROLLBACK_SECONDS < kept.highest_time:
        return "clock_rolled_back"
    return None if claims["license"]["state"] == "active" else "certificate_refused"


def _is_answer(kept, claims):
    """Whether a file answers the request that was made here, so that it was signed after that."""
    return kept.request is not None and kept.request.nonce == claims["nonce"]


def _installed(settings, kept, now, certificate, claims):
    seen = max(claims["iat"], now)
    if _is_answer(kept, claims):
        key, highest_time = kept.request.key, seen
    else:
        # Only a license that the key is known to be of keeps it.
        key, highest_time = kept.key if kept.license == claims["sub"] else None, max(kept.highest_time, seen)
    kept = Kept(
        key=key,
        certificate=certificate,
        keys=kept.keys,
        issued_at=max(claims["iat"], kept.issued_at),
        highest_time=highest_time,
        license=claims["sub"],
        activation=claims["activation"],
        released=None if kept.released == claims["activation"] else kept.released,
    )
    state, code = ("valid", "valid") if now < refresh_at(claims) else ("grace", "refresh_due")
    return kept, outcome(settings, state, code, claims=claims)


def check_revocations(settings, kept, text, now):
    """Takes a revocation list: what it names is refused, as if the shop had said so."""
    keys = trusted(settings, kept)
    try:
        entries = verify_revocations(text, keys)
    except CertificateError as error:
        code = "unknown_key" if error.code == "unknown_key" else "revocations_refused"
        return kept.seen(now), _stands(settings, kept, now, code)
    try:
        entry = named(entries, verify(kept.certificate or "", keys, now, LEEWAY_SECONDS))
    except CertificateError:
        entry = None
    if entry is None:
        return kept.seen(now), look_only(settings, kept, now)
    _, code, at = entry
    kept = replace(kept.seen(now), certificate=None, refused=code, refused_at=at)
    return kept, outcome(settings, "refused", code)


def _stands(settings, kept, now, code):
    """What was brought changes nothing: what works is called grace and carries the reason."""
    stood = look_only(settings, kept, now)
    said = message(code, settings.language)
    if stood.usable:
        return replace(stood, state="grace", code=code, message=said)
    return outcome(settings, "undetermined", code, said)
