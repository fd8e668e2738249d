"""Licenses in a program that is sold with Latchkey: activate, validate, heartbeat, deactivate, and go on while the
shop cannot be reached. Needs nothing but Python.

    license = Client(Settings("https://shop.example", "prod_01h…", device), storage=FileStorage("license.json"))
    outcome = license.refresh()
    if not outcome.usable:
        outcome = license.activate(key)
        print(outcome.message, outcome.portal_url)

One state machine, the same in every language: docs/clients.md has it in words and sdk/vectors.json in examples.
"""

from .certificate import CertificateError, verify
from .client import Client, FileStorage, MemoryStorage
from .http import Http, Reply
from .key_code import KeyCodeError, parse_key
from .key_set import KeySet, KeySetError
from .lease import Kept, Settings
from .license_file import LicenseFileError, read_license_file
from .message import MESSAGES, message
from .outcome import License, Outcome
from .revocation import verify_revocations
from .signed_key import SignedKeyError, verify_signed_key

__all__ = [
    "CertificateError",
    "Client",
    "FileStorage",
    "Http",
    "Kept",
    "KeyCodeError",
    "KeySet",
    "KeySetError",
    "License",
    "LicenseFileError",
    "MESSAGES",
    "MemoryStorage",
    "Outcome",
    "Reply",
    "Settings",
    "SignedKeyError",
    "message",
    "parse_key",
    "read_license_file",
    "verify",
    "verify_revocations",
    "verify_signed_key",
]
