// The revocation list: what the shop took back although certificates of it may
// still count, signed.

import { utf8 } from './bytes.js';
import { CertificateError, type Claims, signedClaims } from './certificate.js';
import type { KeySet } from './key_set.js';

const MAX_REVOCATIONS_BYTES = 1024 * 1024;
const TYPE = 'license-revocations+jwt';

/** One thing that was taken back: its id, the verdict since, and since when, in seconds since 1970. */
export type Revoked = readonly [id: string, code: string, at: number];

/** The entries of a list that one of these keys signed. Throws CertificateError. */
export async function verifyRevocations(list: string, keys: KeySet): Promise<readonly Revoked[]> {
  const text = list.trim();
  if (utf8(text).length > MAX_REVOCATIONS_BYTES) throw new CertificateError('too_long');
  const claims = (await signedClaims(text, TYPE, keys)) ?? {};
  const { iss, iat, revoked } = claims;
  const isEntry = (entry: unknown) =>
    Array.isArray(entry) && entry.length === 3 && typeof entry[0] === 'string' && typeof entry[1] === 'string' && Number.isSafeInteger(entry[2]);
  const understood = typeof iss === 'string' && Number.isSafeInteger(iat) && Array.isArray(revoked) && revoked.every(isEntry);
  if (!understood) throw new CertificateError('bad_claims');
  return revoked as Revoked[];
}

/** The entry that is about the license or the seat of this certificate, unless that was signed later. */
export function named(entries: readonly Revoked[], claims: Pick<Claims, 'sub' | 'activation' | 'iat'>): Revoked | null {
  return entries.find(([id, , at]) => (id === claims.sub || id === claims.activation) && claims.iat <= at) ?? null;
}
