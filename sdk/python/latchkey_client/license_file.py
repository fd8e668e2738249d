"""The license file: a certificate as a file that a person carries to a device without a network. Nothing is proven by
its armour: what comes out is verified as every other certificate is. The bare certificate is read as well, as it comes
from a QR code.
"""

import re

MAX_FILE_BYTES = 128 * 1024
_BEGIN = "-----BEGIN LATCHKEY LICENSE-----"
_END = "-----END LATCHKEY LICENSE-----"
_TOKEN = re.compile(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\Z")


class LicenseFileError(ValueError):
    """Why no certificate was found in a text: `code` is too_long or not_a_license_file."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def read_license_file(text):
    """The certificate in a license file, or in a text that is nothing but a certificate. Not verified yet. Raises
    LicenseFileError."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_FILE_BYTES:
        raise LicenseFileError("too_long")
    _, begins, rest = text.partition(_BEGIN)
    body, ends, _ = rest.partition(_END)
    certificate = re.sub(r"[ \t\r\n]", "", body) if begins else text.strip(" \t\r\n\ufeff")
    if (begins and not ends) or not _TOKEN.match(certificate):
        raise LicenseFileError("not_a_license_file")
    return certificate
