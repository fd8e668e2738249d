// The certificate: what the shop says about a license, signed, to be checked
// without asking. A JWT (RFC 7519) with one algorithm, EdDSA over Ed25519
// (RFC 8037), and one type. The header chooses nothing but which key is tried.

import { asObject, type Bytes, decodeBase64, isTextOrAbsent, jsonObject, utf8 } from './bytes.js';
import { hasSigned } from './ed25519.js';
import type { KeySet } from './key_set.js';

const MAX_CERTIFICATE_BYTES = 64 * 1024;
const TYPE = 'license+jwt';

/** Why a certificate was refused, as a stable word. */
export class CertificateError extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** What a certificate says. Times are seconds since 1970. */
export interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly iat: number;
  readonly nbf: number | null;
  readonly exp: number;
  readonly jti: string | null;
  readonly fingerprint: string | null;
  /** Which seat it was given to, if it was given to one. */
  readonly activation: string | null;
  /** The nonce of the request that it answers, if it answers one. */
  readonly nonce: string | null;
  readonly license: {
    readonly state: string;
    readonly plan: string;
    readonly expires_at: number | null;
    readonly features: readonly string[];
  };
}

/**
 * What a certificate says, if one of these keys signed it and it counts at
 * this time, in seconds since 1970, for this product and on this device where
 * they are given. Throws CertificateError.
 */
export async function verify(
  certificate: string,
  keys: KeySet,
  now: number,
  leeway: number,
  product: string | null = null,
  fingerprint: string | null = null,
): Promise<Claims> {
  requireLength(certificate);
  const claims = readClaims(await signedClaims(certificate, TYPE, keys));
  if (claims.nbf !== null && claims.nbf > now + leeway) throw new CertificateError('not_yet_valid');
  if (claims.exp + leeway <= now) throw new CertificateError('expired');
  if (product !== null && claims.aud !== product) throw new CertificateError('wrong_product');
  if (fingerprint !== null && claims.fingerprint !== null && claims.fingerprint !== fingerprint) {
    throw new CertificateError('wrong_device');
  }
  return claims;
}

/**
 * The claims of a token of this type, as they were signed by one of these
 * keys: an object, or null where they are none. Throws CertificateError.
 */
export async function signedClaims(token: string, kind: string, keys: KeySet): Promise<Record<string, unknown> | null> {
  const [header, body, seal] = split(token);
  const key = keys.find(readHeader(decode(header), kind));
  if (key === null) throw new CertificateError('unknown_key');
  const signature = decode(seal);
  if (signature.length !== 64) throw new CertificateError('bad_encoding');
  if (!(await hasSigned(key, utf8(`${header}.${body}`), signature))) throw new CertificateError('bad_signature');
  return object(decode(body));
}

/** The name of the key that a certificate says it is signed with; proves nothing. Throws CertificateError. */
export function keyId(certificate: string): string {
  requireLength(certificate);
  return readHeader(decode(split(certificate)[0]), TYPE);
}

function requireLength(certificate: string): void {
  if (utf8(certificate).length > MAX_CERTIFICATE_BYTES) throw new CertificateError('too_long');
}

function split(certificate: string): [string, string, string] {
  const [header, body, signature, more] = certificate.split('.');
  if (header === undefined || body === undefined || signature === undefined || more !== undefined) {
    throw new CertificateError('not_a_token');
  }
  return [header, body, signature];
}

function decode(part: string): Bytes {
  const bytes = decodeBase64(part);
  if (bytes === null) throw new CertificateError('bad_encoding');
  return bytes;
}

function object(bytes: Bytes): Record<string, unknown> | null {
  try {
    return jsonObject(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return null;
  }
}

function readHeader(bytes: Bytes, kind: string): string {
  const header = object(bytes);
  if (header === null || typeof header['alg'] !== 'string' || !isTextOrAbsent(header['typ']) || !isTextOrAbsent(header['kid'])) {
    throw new CertificateError('bad_header');
  }
  const { alg, typ, crit, kid } = header;
  if (alg !== 'EdDSA') throw new CertificateError('wrong_algorithm');
  if (typeof typ !== 'string' || typ.toLowerCase() !== kind) throw new CertificateError('wrong_type');
  if (crit !== undefined && crit !== null) throw new CertificateError('unknown_extension');
  if (typeof kid !== 'string') throw new CertificateError('missing_key_id');
  return kid;
}

function readClaims(signed: Record<string, unknown> | null): Claims {
  const claims = signed ?? {};
  const license = asObject(claims['license']) ?? {};
  const features = license['features'] === undefined ? [] : license['features'];
  const isTime = (value: unknown) => Number.isSafeInteger(value);
  const isTimeOrAbsent = (value: unknown) => value === undefined || value === null || isTime(value);
  const understood =
    ['iss', 'sub', 'aud'].every((name) => typeof claims[name] === 'string') &&
    ['iat', 'exp'].every((name) => isTime(claims[name])) &&
    isTimeOrAbsent(claims['nbf']) &&
    ['jti', 'fingerprint', 'activation', 'nonce'].every((name) => isTextOrAbsent(claims[name])) &&
    ['state', 'plan'].every((name) => typeof license[name] === 'string') &&
    isTimeOrAbsent(license['expires_at']) &&
    Array.isArray(features) &&
    features.every((feature) => typeof feature === 'string');
  if (!understood) throw new CertificateError('bad_claims');
  const given = claims as unknown as Claims;
  return {
    iss: given.iss,
    sub: given.sub,
    aud: given.aud,
    iat: given.iat,
    nbf: given.nbf ?? null,
    exp: given.exp,
    jti: given.jti ?? null,
    fingerprint: given.fingerprint ?? null,
    activation: given.activation ?? null,
    nonce: given.nonce ?? null,
    license: {
      state: given.license.state,
      plan: given.license.plan,
      expires_at: given.license.expires_at ?? null,
      features: features as string[],
    },
  };
}
