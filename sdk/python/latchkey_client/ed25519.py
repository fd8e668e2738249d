"""Verification of Ed25519 signatures (RFC 8032), and nothing else of it. Holds no secret, so its time may depend on
what it is given. Strict: one signature has one encoding, and weak keys are none.
"""

import hashlib

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)


def _decompress(encoded):
    """The point with this encoding as (X, Y, Z, T), or None. As dalek, takes a y above the prime."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, (number & ((1 << 255) - 1)) % _P
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(x_squared, (_P + 3) // 8, _P)
    if x * x % _P != x_squared:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if x * x % _P != x_squared:
        return None
    if x & 1 != sign:
        x = -x % _P
    return (x, y, 1, x * y % _P)


def _add(left, right):
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a = (y1 - x1) * (y2 - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * t1 * t2 * _D % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


_NEUTRAL = (0, 1, 1, 0)
_BASE = _decompress((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def _combine(first, left, second, right):
    """first * left + second * right, both at once."""
    both = _add(left, right)
    total = _NEUTRAL
    for bit in range(max(first.bit_length(), second.bit_length()) - 1, -1, -1):
        total = _add(total, total)
        chosen = (first >> bit & 1, second >> bit & 1)
        if chosen != (0, 0):
            total = _add(total, {(1, 0): left, (0, 1): right, (1, 1): both}[chosen])
    return total


def _compress(point):
    x, y, z, _ = point
    inverse = pow(z, -1, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def is_point(key):
    """Whether these 32 bytes are a point of the curve."""
    return len(key) == 32 and _decompress(key) is not None


def is_weak(key):
    """Whether a point belongs to a group so small that signatures can be forged without the private key."""
    point = _decompress(key)
    for _ in range(3):
        point = _add(point, point)
    x, y, z, _ = point
    return x % _P == 0 and (y - z) % _P == 0


def has_signed(key, message, signature):
    """Whether this key, a point that is not weak, signed exactly this."""
    if len(signature) != 64:
        return False
    encoded, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    point = _decompress(key)
    if scalar >= _ORDER or not is_point(encoded) or is_weak(encoded):
        return False
    digest = hashlib.sha512(encoded + key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    x, y, z, t = point
    minus = (-x % _P, y, z, -t % _P)
    return _compress(_combine(scalar, _BASE, challenge, minus)) == encoded
