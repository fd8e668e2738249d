"""What a call came to: a state to branch on, a code to be precise, a sentence for the person in front of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class License:
    """What was bought, as the certificate says. `expires_at` is in seconds since 1970."""

    id: str
    product: str
    plan: str
    features: list[str]
    expires_at: int | None


@dataclass(frozen=True)
class Outcome:
    """What a call came to.

    `state` is one of: valid (it works, and the shop said so lately), grace (it works because the certificate still
    counts, though the shop did not confirm it), refused (the shop said no, or nothing was ever activated here),
    undetermined (nobody can tell, and no certificate carries the program; never a "no"), released (the seat is free).

    `carries_until` and `refresh_at` are in seconds since 1970: until when the certificate carries the program
    without the shop, and when the shop should be asked again. `request` is what a person carries to the shop, as one
    line of text (one for a seat holds the license key), and `request_url` the page that takes it, as a QR code shows it."""

    state: str
    code: str
    message: str
    portal_url: str
    license: License | None = None
    carries_until: int | None = None
    refresh_at: int | None = None
    request: str | None = None
    request_url: str | None = None

    @property
    def usable(self):
        """Whether the program may run."""
        return self.state in ("valid", "grace")
