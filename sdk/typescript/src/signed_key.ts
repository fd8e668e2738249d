// The signed key: a license key whose text says what was bought, so that a
// program can read it and never has to ask.
//
// `key/<dataset>.<signature>`: the dataset is JSON, and both are base64url with
// padding; the signature is Ed25519 over all that stands before the dot. What
// happened after the key was issued, a refund for one, is not in it.

import { asObject, type Bytes, decodeBase64, jsonObject, utf8 } from './bytes.js';
import { hasSigned } from './ed25519.js';
import { DECORATION, parseKey } from './key_code.js';
import type { KeySet } from './key_set.js';

const MAX_SIGNED_KEY_BYTES = 8 * 1024;
const PREFIX = 'key/';
const BETWEEN = new RegExp(`[${DECORATION}]`, 'gu');

/** Why a signed key was refused, as a stable word. */
export class SignedKeyError extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** What a signed key says, as of the moment when it was issued. Times are seconds since 1970. */
export interface SignedKey {
  /** The short key: what the shop knows the license by. */
  readonly key: string;
  readonly license: string;
  readonly product: string;
  readonly plan: string;
  readonly issued_at: number;
  /** When it stops counting, if that was fixed when it was issued. */
  readonly expires_at: number | null;
  readonly features: readonly string[];
  readonly feature_values: Readonly<Record<string, unknown>>;
  /** For how many devices it is; any number if null. */
  readonly seats: number | null;
  /** Until when versions come out that it covers; every version if null. */
  readonly updates_until: number | null;
  readonly trial: boolean;
}

/**
 * What a signed key says, if one of these keys signed it and it counts at
 * this time, in seconds since 1970, for this product where it is given.
 * Throws SignedKeyError.
 */
export async function verifySignedKey(
  text: string,
  keys: KeySet,
  now: number,
  product: string | null = null,
): Promise<SignedKey> {
  const [signed, body, seal] = split(whole(text));
  const dataset = decode(body);
  const signature = decode(seal);
  if (signature.length !== 64) throw new SignedKeyError('bad_encoding');
  const said = object(dataset);
  if (typeof said['kid'] !== 'string') throw new SignedKeyError('missing_key_id');
  const key = keys.find(said['kid']);
  if (key === null) throw new SignedKeyError('unknown_key');
  if (!(await hasSigned(key, utf8(signed), signature))) throw new SignedKeyError('bad_signature');
  const says = read(said);
  if (says === null) throw new SignedKeyError('bad_claims');
  if (says.expires_at !== null && says.expires_at <= now) throw new SignedKeyError('expired');
  if (product !== null && says.product !== product) throw new SignedKeyError('wrong_product');
  return says;
}

/**
 * The short key in a text that means to be a signed key of the shop's, or
 * null. Nothing is proven by it: it is for whoever asks the shop about it next.
 */
export function signedKeyCode(text: string): string | null {
  try {
    return read(object(decode(split(whole(text))[1])))?.key ?? null;
  } catch {
    return null;
  }
}

function whole(text: string): string {
  if (utf8(text).length > MAX_SIGNED_KEY_BYTES) throw new SignedKeyError('too_long');
  return text.replace(BETWEEN, '');
}

function split(text: string): [string, string, string] {
  const dot = text.indexOf('.');
  if (dot < 0 || !text.startsWith(PREFIX)) throw new SignedKeyError('not_a_signed_key');
  return [text.slice(0, dot), text.slice(PREFIX.length, dot), text.slice(dot + 1)];
}

function decode(part: string): Bytes {
  const bare = part.replace(/={1,2}$/, '');
  const bytes = part.length % 4 === 0 ? decodeBase64(bare) : null;
  if (bytes === null) throw new SignedKeyError('bad_encoding');
  return bytes;
}

function object(bytes: Bytes): Record<string, unknown> {
  try {
    return jsonObject(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) ?? {};
  } catch {
    return {};
  }
}

/** What a dataset says, or null where it does not say what a signed key says. */
function read(said: Record<string, unknown>): SignedKey | null {
  const { key, license, product, plan, issued_at: issuedAt } = said;
  const expiresAt = said['expires_at'] ?? null;
  const updatesUntil = said['updates_until'] ?? null;
  const seats = said['seats'] ?? null;
  const features = said['features'] === undefined ? [] : said['features'];
  const values = asObject(said['feature_values'] === undefined ? {} : said['feature_values']);
  const trial = said['trial'] === undefined ? false : said['trial'];
  const isTimeOrAbsent = (value: unknown) => value === null || Number.isSafeInteger(value);
  const understood =
    [key, license, product, plan].every((text) => typeof text === 'string') &&
    isProper(key as string) &&
    Number.isSafeInteger(issuedAt) &&
    isTimeOrAbsent(expiresAt) &&
    isTimeOrAbsent(updatesUntil) &&
    (seats === null || (Number.isSafeInteger(seats) && (seats as number) >= 0 && (seats as number) < 2 ** 32)) &&
    Array.isArray(features) &&
    features.every((feature) => typeof feature === 'string') &&
    values !== null &&
    typeof trial === 'boolean';
  if (!understood) return null;
  return {
    key: key as string,
    license: license as string,
    product: product as string,
    plan: plan as string,
    issued_at: issuedAt as number,
    expires_at: expiresAt as number | null,
    features: features as string[],
    feature_values: values,
    seats: seats as number | null,
    updates_until: updatesUntil as number | null,
    trial,
  };
}

function isProper(key: string): boolean {
  try {
    return parseKey(key) === key;
  } catch {
    return false;
  }
}
