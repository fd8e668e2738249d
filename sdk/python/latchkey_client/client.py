"""The client: asks the shop, keeps what was answered, and tells how the license stands. One client speaks for one
license on one device; two programs that share a place to keep things must take turns.
"""

import os
import time
from dataclasses import replace

from . import offline
from .http import Http
from .key_set import KeySet, KeySetError
from .lease import Kept, look, request, settle, typed, wants_keys


class Client:
    """The license of this program on this device. Every call gives an Outcome, and raises only when the storage does.

    `storage` has `read()`, the text that was written last or None, and `write(text)`. `transport` has
    `send(url, body, language)`; `clock` gives seconds since 1970, `chance` so many bytes that nobody predicts."""

    def __init__(self, settings, storage, transport=None, clock=lambda: int(time.time()), chance=os.urandom):
        self._settings = settings
        self._storage = storage
        self._transport = transport or Http()
        self._clock = clock
        self._chance = chance
        text = storage.read()
        self.kept = Kept() if text is None else Kept.from_text(text)

    def status(self):
        """How the license stands by what is kept, without asking."""
        kept, outcome = look(self._settings, self.kept, self._clock())
        self._keep(kept)
        return outcome

    def refresh(self):
        """How the license stands, asking the shop only when that is due. To be called at the start of the program,
        and from time to time."""
        outcome = self.status()
        return outcome if outcome.state == "valid" else self.validate()

    def activate(self, key, device_name=None):
        """Takes a seat for this device. Repeated, it comes to the same seat."""
        key, slip = typed(self._settings, key)
        outcome = slip or self._ask("inquire", key)
        return outcome or self._ask("activate", key, device_name)

    def validate(self):
        """Asks whether the license works on this device, and renews the certificate."""
        return self._with_key("validate")

    def heartbeat(self):
        """Tells the shop that this device is alive, and renews the certificate."""
        return self._with_key("heartbeat")

    def deactivate(self):
        """Gives the seat back. When the shop cannot be reached, the seat stays taken and the license stays."""
        return self._with_key("deactivate")

    def request_activation(self, key, device_name=None):
        """Asks for a seat without a network: the outcome has a `request` that a person carries to the shop. Asked
        again it is the same request, until a license file was installed."""
        return self._settled(offline.request_activation, key, device_name, self._chance(16))

    def request_release(self):
        """Gives the seat back without a network: the license ends here, and the outcome has a `request` that a person
        carries to the shop, which frees the seat. Asked again it is the same request."""
        return self._settled(offline.request_release, self._chance(16))

    def install(self, file):
        """Takes a license file that a person brought, or the text of its QR code. Asks nobody, but for the shop's keys
        where none that it knows signed the file."""
        kept = self.kept
        if offline.file_wants_keys(self._settings, kept, file):
            kept = replace(kept, keys=self._fetch_keys() or kept.keys)
        kept, outcome = offline.install(self._settings, kept, file, self._clock())
        self._keep(kept)
        return outcome

    def check_revocations(self, text):
        """Takes a revocation list that came from wherever, and refuses the license if the list names it. Asks nobody."""
        return self._settled(offline.check_revocations, text)

    def _settled(self, rule, *given):
        kept, outcome = rule(self._settings, self.kept, *given, self._clock())
        self._keep(kept)
        return outcome

    def _with_key(self, call):
        return self.status() if self.kept.key is None else self._ask(call, self.kept.key)

    def _ask(self, call, key, device_name=None):
        url, body = request(call, self._settings, key, device_name)
        reply = self._transport.send(url, body, self._settings.language)
        kept = self.kept
        if wants_keys(call, self._settings, kept, reply):
            kept = replace(kept, keys=self._fetch_keys() or kept.keys)
        kept, outcome = settle(call, self._settings, kept, key, self._clock(), reply)
        self._keep(kept)
        return outcome

    def _fetch_keys(self):
        reply = self._transport.send(f"{self._settings.shop_url}/.well-known/jwks.json", None, self._settings.language)
        try:
            return KeySet.parse(reply.body) if reply.status == 200 else None
        except KeySetError:
            return None

    def _keep(self, kept):
        if kept != self.kept:
            self._storage.write(kept.to_text())
            self.kept = kept


class FileStorage:
    """One file that only its owner reads. Replaced as a whole, so that a crash leaves the old one or the new one."""

    def __init__(self, path):
        self._path = os.fspath(path)

    def read(self):
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def write(self, text):
        beside = f"{self._path}.new"
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self._path)


class MemoryStorage:
    """Forgets with the program: for tests."""

    def __init__(self):
        self._text = None

    def read(self):
        return self._text

    def write(self, text):
        self._text = text
