"""The license key that people see: 25 symbols of data and 3 that check them, so that a mistyped key is recognised
before anything is asked over the network.
"""

import re

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SYMBOLS = 28
_GROUP = 4
# The code has the roots a, a^2 and a^3 over GF(32) = GF(2)[x] / (x^5 + x^2 + 1), a being x.
_ROOTS = (2, 4, 8)
# What stands between the letters of a key and is none of it, as a part of a pattern: spaces, printed dashes of every kind,
# the long vowel mark of Japanese keyboards, invisible marks.
DECORATION = (
    "\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    "\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d\u30fc\uff70"
    "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
)
_BETWEEN = re.compile(f"[{DECORATION}_-]")


class KeyCodeError(ValueError):
    """Why a text is not a license key: `code` is empty, wrong_length, bad_symbol or wrong_check_symbols. For a bad
    symbol, `position` counts letters and digits from 1."""

    def __init__(self, code, position=None):
        super().__init__(code if position is None else f"{code} at {position}")
        self.code = code
        self.position = position


def parse_key(text):
    """Reads a key as people type and paste it, and gives its one canonical form. Raises KeyCodeError."""
    values = []
    for position, character in enumerate(_BETWEEN.sub("", text), start=1):
        value = _symbol_value(character)
        if value is None:
            raise KeyCodeError("bad_symbol", position)
        values.append(value)
    if not values:
        raise KeyCodeError("empty")
    if len(values) != _SYMBOLS:
        raise KeyCodeError("wrong_length")
    if any(_evaluate(values, root) for root in _ROOTS):
        raise KeyCodeError("wrong_check_symbols")
    letters = "".join(_ALPHABET[value] for value in values)
    return "-".join(letters[start : start + _GROUP] for start in range(0, _SYMBOLS, _GROUP))


def _symbol_value(character):
    code = ord(character)
    if 0xFF10 <= code <= 0xFF5A:
        character = chr(code - 0xFEE0)
    elif 0x660 <= code <= 0x669:
        character = chr(code - 0x660 + ord("0"))
    elif 0x6F0 <= code <= 0x6F9:
        character = chr(code - 0x6F0 + ord("0"))
    if not character.isascii():
        return None
    letter = {"O": "0", "I": "1", "L": "1"}.get(character.upper(), character.upper())
    value = _ALPHABET.find(letter)
    return None if value < 0 else value


def _multiply(left, right):
    product = 0
    for bit in range(5):
        if right >> bit & 1:
            product ^= left
        left <<= 1
        if left & 32:
            left ^= 37
    return product


def _evaluate(values, root):
    total = 0
    for value in values:
        total = _multiply(total, root) ^ value
    return total
