// The state machine where there is no network: requests and license files that
// a person carries, and the revocation list. Reads no clock and sends nothing.
// The same rules, by the same names, stand in every client library.

import { type Bytes, encodeBase64 } from './bytes.js';
import { CertificateError, type Claims, keyId, verify } from './certificate.js';
import {
  givenBack,
  type Kept,
  languageOf,
  LEEWAY_SECONDS,
  leaseCode,
  lookOnly,
  NOTHING_KEPT,
  outcome,
  refreshAt,
  ROLLBACK_SECONDS,
  seen,
  type Settings,
  shopUrl,
  trusted,
  typed,
} from './lease.js';
import { readLicenseFile } from './license_file.js';
import { message } from './message.js';
import { requestText } from './offline_request.js';
import type { Outcome } from './outcome.js';
import { named, type Revoked, verifyRevocations } from './revocation.js';

/** Asks for a seat: the outcome has the request. The same key and name come to the same request. */
export async function requestActivation(
  settings: Settings,
  kept: Kept,
  text: string,
  name: string | null,
  chance: Bytes,
  now: number,
): Promise<[Kept, Outcome]> {
  const key = typed(settings, text);
  if (typeof key !== 'string') return [kept, key];
  let pending = kept.request;
  if (pending === null || pending.key !== key || pending.name !== name) {
    const nonce = encodeBase64(chance);
    const { product, fingerprint } = settings;
    pending = { key, name, nonce, text: requestText(key, { do: 'activate', key, product, fingerprint, name, nonce, at: now }) };
  }
  const stood = await lookOnly(settings, kept, now);
  const told = stood.usable ? stood : outcome(settings, 'undetermined', 'file_awaited');
  return [{ ...seen(kept, now), request: pending }, withRequest(settings, told, pending.text)];
}

/**
 * Gives the seat back: nothing is left here, and the outcome has the request
 * that frees the seat at the shop. Where no seat was taken there is no request.
 */
export async function requestRelease(settings: Settings, kept: Kept, chance: Bytes, now: number): Promise<[Kept, Outcome]> {
  const told = outcome(settings, 'released', 'released');
  const { key, activation } = kept;
  if (key === null && kept.certificate === null) {
    if (kept.releaseRequest !== null) return [kept, withRequest(settings, told, kept.releaseRequest)];
    return [seen(kept, now), await lookOnly(settings, kept, now)];
  }
  const hasSeat = activation !== null && key !== null;
  const text = hasSeat ? requestText(key, { do: 'release', activation, nonce: encodeBase64(chance), at: now }) : null;
  const after = { ...givenBack(seen(kept, now)), releaseRequest: text };
  return [after, text === null ? told : withRequest(settings, told, text)];
}

function withRequest(settings: Settings, told: Outcome, text: string): Outcome {
  return { ...told, request: text, requestUrl: `${shopUrl(settings)}/activate#${text}` };
}

/** Whether the shop's public keys have to be fetched before a license file can be installed. */
export function fileWantsKeys(settings: Settings, kept: Kept, file: string): boolean {
  if (settings.keys) return false;
  try {
    return trusted(settings, kept).find(keyId(readLicenseFile(file))) === null;
  } catch {
    return false;
  }
}

/** Takes a license file. */
export async function install(settings: Settings, kept: Kept, file: string, now: number): Promise<[Kept, Outcome]> {
  const refused = async (code: string): Promise<[Kept, Outcome]> => [seen(kept, now), await stands(settings, kept, now, code)];
  let certificate: string;
  try {
    certificate = readLicenseFile(file);
  } catch {
    return refused('file_unreadable');
  }
  // What is here already changes nothing, whatever it answered then.
  if (certificate === kept.certificate) return [seen(kept, now), await lookOnly(settings, kept, now)];
  let claims: Claims;
  try {
    const { product, fingerprint } = settings;
    claims = await verify(certificate, trusted(settings, kept), now, LEEWAY_SECONDS, product, fingerprint);
  } catch (error) {
    const code = codeOf(error);
    const told = code === 'unknown_key' ? code : leaseCode(code);
    return refused(told === 'lease_damaged' ? 'certificate_refused' : told);
  }
  const against = speaksAgainst(kept, claims, now);
  return against === null ? installed(settings, kept, now, certificate, claims) : refused(against);
}

/** Why a file is not believed here and now, though the shop signed it. */
function speaksAgainst(kept: Kept, claims: Claims, now: number): string | null {
  const answers = isAnswer(kept, claims);
  if (claims.nonce !== null && !answers) return 'file_not_awaited';
  // A file that answers no request of this moment may have been kept for long: it undoes nothing.
  const isOlder =
    (kept.refusedAt !== null && claims.iat <= kept.refusedAt) || (claims.activation !== null && claims.activation === kept.released);
  if ((isOlder && !answers) || claims.iat + LEEWAY_SECONDS < kept.issuedAt) return 'file_outdated';
  if (claims.iat > now + ROLLBACK_SECONDS) return 'clock_wrong';
  if (!answers && now + ROLLBACK_SECONDS < kept.highestTime) return 'clock_rolled_back';
  return claims.license.state === 'active' ? null : 'certificate_refused';
}

/** Whether a file answers the request that was made here, so that it was signed after that. */
function isAnswer(kept: Kept, claims: Claims): boolean {
  return kept.request !== null && kept.request.nonce === claims.nonce;
}

function installed(settings: Settings, kept: Kept, now: number, certificate: string, claims: Claims): [Kept, Outcome] {
  const last = Math.max(claims.iat, now);
  const answers = isAnswer(kept, claims);
  // Only a license that the key is known to be of keeps it.
  const ownKey = kept.license === claims.sub ? kept.key : null;
  const after: Kept = {
    ...NOTHING_KEPT,
    key: answers ? (kept.request?.key ?? null) : ownKey,
    certificate,
    keys: kept.keys,
    issuedAt: Math.max(claims.iat, kept.issuedAt),
    highestTime: answers ? last : Math.max(kept.highestTime, last),
    license: claims.sub,
    activation: claims.activation,
    released: kept.released === claims.activation ? null : kept.released,
  };
  const isFresh = now < refreshAt(claims);
  return [after, isFresh ? outcome(settings, 'valid', 'valid', null, claims) : outcome(settings, 'grace', 'refresh_due', null, claims)];
}

/** Takes a revocation list: what it names is refused, as if the shop had said so. */
export async function checkRevocations(settings: Settings, kept: Kept, list: string, now: number): Promise<[Kept, Outcome]> {
  const keys = trusted(settings, kept);
  let entries: readonly Revoked[];
  try {
    entries = await verifyRevocations(list, keys);
  } catch (error) {
    const code = codeOf(error) === 'unknown_key' ? 'unknown_key' : 'revocations_refused';
    return [seen(kept, now), await stands(settings, kept, now, code)];
  }
  const claims = await verify(kept.certificate ?? '', keys, now, LEEWAY_SECONDS).catch((error: unknown) => (codeOf(error), null));
  const entry = claims && named(entries, claims);
  if (entry === null) return [seen(kept, now), await lookOnly(settings, kept, now)];
  const [, code, at] = entry;
  const after = { ...seen(kept, now), certificate: null, refused: code, refusedAt: at };
  return [after, outcome(settings, 'refused', code)];
}

/** What was brought changes nothing: what works is called grace and carries the reason. */
async function stands(settings: Settings, kept: Kept, now: number, code: string): Promise<Outcome> {
  const stood = await lookOnly(settings, kept, now);
  const said = message(code, languageOf(settings));
  return stood.usable ? { ...stood, state: 'grace', code, message: said } : outcome(settings, 'undetermined', code, said);
}

function codeOf(error: unknown): string {
  if (error instanceof CertificateError) return error.code;
  throw error;
}
