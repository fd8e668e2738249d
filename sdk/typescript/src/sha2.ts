// SHA-256 and SHA-512 (FIPS 180-4), for places without WebCrypto, as a page
// that came without TLS. One algorithm in two word sizes; its constants are
// computed from the primes as the standard says, not copied.

import type { Bytes } from './bytes.js';

interface Variant {
  readonly bits: bigint;
  readonly rounds: number;
  readonly bigSigma: readonly [Triple, Triple];
  readonly smallSigma: readonly [Triple, Triple];
}

type Triple = readonly [bigint, bigint, bigint];

const SHA256: Variant = {
  bits: 32n,
  rounds: 64,
  bigSigma: [[2n, 13n, 22n], [6n, 11n, 25n]],
  smallSigma: [[7n, 18n, 3n], [17n, 19n, 10n]],
};
const SHA512: Variant = {
  bits: 64n,
  rounds: 80,
  bigSigma: [[28n, 34n, 39n], [14n, 18n, 41n]],
  smallSigma: [[1n, 8n, 7n], [19n, 61n, 6n]],
};

export function sha256(message: Bytes): Bytes {
  return digest(SHA256, message);
}

export function sha512(message: Bytes): Bytes {
  return digest(SHA512, message);
}

const PRIMES = firstPrimes(80);

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = [];
  for (let candidate = 2n; primes.length < count; candidate += 1n) {
    if (primes.every((prime) => candidate % prime !== 0n)) primes.push(candidate);
  }
  return primes;
}

/** The first bits behind the point of a prime's square or cube root. */
function fraction(prime: bigint, degree: bigint, bits: bigint): bigint {
  const wanted = prime << (bits * degree);
  let low = 0n;
  let high = wanted;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= wanted) low = middle;
    else high = middle;
  }
  return low & ((1n << bits) - 1n);
}

const constants = new Map<Variant, { start: bigint[]; round: bigint[] }>();

function constantsOf(variant: Variant): { start: bigint[]; round: bigint[] } {
  let made = constants.get(variant);
  if (made === undefined) {
    made = {
      start: PRIMES.slice(0, 8).map((prime) => fraction(prime, 2n, variant.bits)),
      round: PRIMES.slice(0, variant.rounds).map((prime) => fraction(prime, 3n, variant.bits)),
    };
    constants.set(variant, made);
  }
  return made;
}

function digest(variant: Variant, message: Bytes): Bytes {
  const { bits } = variant;
  const mask = (1n << bits) - 1n;
  const wordBytes = Number(bits / 8n);
  const turn = (word: bigint, by: bigint) => ((word >> by) | (word << (bits - by))) & mask;
  const big = (word: bigint, [a, b, c]: Triple) => turn(word, a) ^ turn(word, b) ^ turn(word, c);
  const small = (word: bigint, [a, b, c]: Triple) => turn(word, a) ^ turn(word, b) ^ (word >> c);
  const { start, round } = constantsOf(variant);
  const padded = pad(message, wordBytes);
  let state = start.slice();
  for (let at = 0; at < padded.length; at += 16 * wordBytes) {
    const words: bigint[] = [];
    for (let index = 0; index < 16; index += 1) {
      const from = at + index * wordBytes;
      words.push(padded.subarray(from, from + wordBytes).reduce((word, byte) => (word << 8n) | BigInt(byte), 0n));
    }
    for (let index = 16; index < variant.rounds; index += 1) {
      const [w16, w15, w7, w2] = [words[index - 16]!, words[index - 15]!, words[index - 7]!, words[index - 2]!];
      words.push((w16 + small(w15, variant.smallSigma[0]) + w7 + small(w2, variant.smallSigma[1])) & mask);
    }
    let [a, b, c, d, e, f, g, h] = state as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
    for (let index = 0; index < variant.rounds; index += 1) {
      const first = h + big(e, variant.bigSigma[1]) + ((e & f) ^ (~e & mask & g)) + round[index]! + words[index]!;
      const second = big(a, variant.bigSigma[0]) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) & mask, c, b, a, (first + second) & mask];
    }
    state = [a, b, c, d, e, f, g, h].map((word, index) => (word + state[index]!) & mask);
  }
  const out = new Uint8Array(8 * wordBytes);
  state.forEach((word, index) => {
    for (let byte = 0; byte < wordBytes; byte += 1) {
      out[index * wordBytes + byte] = Number((word >> BigInt(8 * (wordBytes - 1 - byte))) & 255n);
    }
  });
  return out;
}

/** One bit, zeros, and the length in bits, up to a whole block. */
function pad(message: Bytes, wordBytes: number): Bytes {
  const block = 16 * wordBytes;
  const length = Math.ceil((message.length + 1 + 2 * wordBytes) / block) * block;
  const padded = new Uint8Array(length);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(length - 8, BigInt(message.length) * 8n);
  return padded;
}
