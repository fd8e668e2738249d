// Verification of Ed25519 signatures (RFC 8032): by WebCrypto where it has
// Ed25519, by hand elsewhere. Holds no secret, so its time may depend on what
// it is given. Strict: one signature has one encoding, weak keys are none.

import type { Bytes } from './bytes.js';
import { sha512 } from './sha2.js';

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = modulo(-121665n * invert(121666n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** X, Y, Z and T of extended coordinates. */
type Point = readonly [bigint, bigint, bigint, bigint];

const NEUTRAL: Point = [0n, 1n, 1n, 0n];
const BASE: Point = decompress(numberBytes(modulo(4n * invert(5n))))!;

/** Whether this key, a point that is not weak, signed exactly this. */
export async function hasSigned(key: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  if (signature.length !== 64) return false;
  const subtle = globalThis.crypto?.subtle;
  if (subtle !== undefined) {
    try {
      const imported = await subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
      return await subtle.verify({ name: 'Ed25519' }, imported, signature, message);
    } catch {
      // This WebCrypto has no Ed25519.
    }
  }
  return hasSignedByHand(key, message, signature);
}

/** The same without WebCrypto. */
export function hasSignedByHand(key: Bytes, message: Bytes, signature: Bytes): boolean {
  if (signature.length !== 64) return false;
  const encoded = signature.slice(0, 32);
  const scalar = bytesNumber(signature.slice(32));
  const point = decompress(key);
  if (point === null || scalar >= ORDER || !isPoint(encoded) || isWeak(encoded)) return false;
  const challenge = bytesNumber(sha512(new Uint8Array([...encoded, ...key, ...message]))) % ORDER;
  const [x, y, z, t] = point;
  const found = compress(combine(scalar, BASE, challenge, [modulo(-x), y, z, modulo(-t)]));
  return found.every((byte, at) => byte === encoded[at]);
}

/** Whether these bytes are a point of the curve. */
export function isPoint(key: Bytes): boolean {
  return key.length === 32 && decompress(key) !== null;
}

/** Whether a point belongs to a group so small that signatures can be forged without the private key. */
export function isWeak(key: Bytes): boolean {
  let point = decompress(key);
  if (point === null) return true;
  for (let doubling = 0; doubling < 3; doubling += 1) point = add(point, point);
  const [x, y, z] = point;
  return x === 0n && modulo(y - z) === 0n;
}

function modulo(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = modulo(base), left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}

function invert(value: bigint): bigint {
  return power(value, P - 2n);
}

function bytesNumber(bytes: Bytes): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

function numberBytes(number: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((number >> BigInt(8 * at)) & 255n));
}

/** The point with this encoding. A y above the prime is taken, as by the library that the shop signs for. */
function decompress(encoded: Bytes): Point | null {
  const number = bytesNumber(encoded);
  const sign = number >> 255n;
  const y = (number & ((1n << 255n) - 1n)) % P;
  const square = modulo((y * y - 1n) * invert(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (modulo(x * x) !== square) x = modulo(x * ROOT_OF_MINUS_ONE);
  if (modulo(x * x) !== square) return null;
  if ((x & 1n) !== sign) x = modulo(-x);
  return [x, y, 1n, modulo(x * y)];
}

function compress([x, y, z]: Point): Bytes {
  const inverse = invert(z);
  return numberBytes(modulo(y * inverse) | ((modulo(x * inverse) & 1n) << 255n));
}

function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = modulo((y1 - x1) * (y2 - x2));
  const b = modulo((y1 + x1) * (y2 + x2));
  const c = modulo(2n * t1 * t2 * D);
  const d = modulo(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [modulo(e * f), modulo(g * h), modulo(f * g), modulo(e * h)];
}

/** first * left + second * right, both at once. */
function combine(first: bigint, left: Point, second: bigint, right: Point): Point {
  const both = add(left, right);
  let total = NEUTRAL;
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    total = add(total, total);
    const one = (first >> bit) & 1n;
    const other = (second >> bit) & 1n;
    if (one && other) total = add(total, both);
    else if (one) total = add(total, left);
    else if (other) total = add(total, right);
  }
  return total;
}
