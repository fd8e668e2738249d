"""Unpadded base64url (RFC 4648), strictly: one text for the same bytes."""

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text):
    """The bytes, or None if the text is not exactly what `encode` makes of them."""
    if not _ALPHABET.match(text) or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return data if encode(data) == text else None
