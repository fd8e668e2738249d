"""What an app without a network asks the shop for, as a text that a person carries to a page of the shop:
`<payload>.<mac>`, the payload JSON in base64url, the MAC HMAC-SHA-256 by the license key, cut to 16 bytes. A request
that gives a seat back holds no key; its MAC proves that its maker has it.
"""

import hashlib
import hmac
import json

from . import base64url

_VERSION = 1


def request_text(key, asked):
    """The request as the text that is carried. What is None is left out."""
    payload = {name: value for name, value in asked.items() if value is not None} | {"v": _VERSION}
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    payload = base64url.encode(text.encode())
    mac = hmac.new(key.encode(), payload.encode(), hashlib.sha256).digest()[:16]
    return f"{payload}.{base64url.encode(mac)}"
