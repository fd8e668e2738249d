// The license key that people see: 25 symbols of data and 3 that check them,
// so that a mistyped key is recognised before anything is asked.

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const SYMBOLS = 28;
const GROUP = 4;
// The code has the roots a, a^2 and a^3 over GF(32) = GF(2)[x] / (x^5 + x^2 + 1), a being x.
const ROOTS = [2, 4, 8];
/**
 * What stands between the letters of a key and is none of it, as a part of a
 * pattern: spaces, printed dashes of every kind, the long vowel mark of
 * Japanese keyboards, invisible marks.
 */
export const DECORATION = String.raw`\s\u0085\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d\u30fc\uff70\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff`;
const BETWEEN = new RegExp(String.raw`[_\-${DECORATION}]`, 'gu');

/** Why a text is not a license key. */
export class KeyCodeError extends Error {
  constructor(
    readonly code: 'empty' | 'wrong_length' | 'bad_symbol' | 'wrong_check_symbols',
    /** For a bad symbol: its place among the letters and digits, from 1. */
    readonly position: number | null = null,
  ) {
    super(position === null ? code : `${code} at ${position}`);
  }
}

/** Reads a key as people type and paste it, and gives its one canonical form. Throws KeyCodeError. */
export function parseKey(text: string): string {
  const values = [...text.replace(BETWEEN, '')].map((character, at) => {
    const value = symbolValue(character);
    if (value < 0) throw new KeyCodeError('bad_symbol', at + 1);
    return value;
  });
  if (values.length === 0) throw new KeyCodeError('empty');
  if (values.length !== SYMBOLS) throw new KeyCodeError('wrong_length');
  if (ROOTS.some((root) => evaluate(values, root) !== 0)) throw new KeyCodeError('wrong_check_symbols');
  const letters = values.map((value) => ALPHABET.charAt(value)).join('');
  return Array.from({ length: SYMBOLS / GROUP }, (_, group) => letters.slice(group * GROUP, (group + 1) * GROUP)).join('-');
}

function symbolValue(character: string): number {
  let code = character.codePointAt(0)!;
  if (code >= 0xff10 && code <= 0xff5a) code -= 0xfee0;
  else if (code >= 0x660 && code <= 0x669) code -= 0x660 - 0x30;
  else if (code >= 0x6f0 && code <= 0x6f9) code -= 0x6f0 - 0x30;
  if (code > 127) return -1;
  const letter = String.fromCharCode(code).toUpperCase();
  return ALPHABET.indexOf(letter === 'O' ? '0' : letter === 'I' || letter === 'L' ? '1' : letter);
}

function multiply(left: number, right: number): number {
  let product = 0;
  for (let bit = 0, power = left; bit < 5; bit += 1) {
    if ((right >> bit) & 1) product ^= power;
    power <<= 1;
    if (power & 32) power ^= 37;
  }
  return product;
}

function evaluate(values: readonly number[], root: number): number {
  return values.reduce((total, value) => multiply(total, root) ^ value, 0);
}
