// The state machine: from what is kept, a time, and perhaps an answer, to what
// is kept now and the outcome. Reads no clock and sends nothing. The same
// rules, by the same names, stand in every client library.

import { asObject, asText, isTextOrAbsent, jsonObject } from './bytes.js';
import { CertificateError, type Claims, keyId, verify } from './certificate.js';
import type { Reply } from './http.js';
import { KeyCodeError, parseKey } from './key_code.js';
import { KeySet } from './key_set.js';
import { message } from './message.js';
import type { Outcome, State } from './outcome.js';
import { signedKeyCode } from './signed_key.js';

/** How far a clock may be off when a certificate's times are compared. */
export const LEEWAY_SECONDS = 300;
/** How far a clock may go back without being doubted. */
export const ROLLBACK_SECONDS = 86_400;
/** How far time moves before the highest time is written again. */
export const NOTICE_SECONDS = 60;
const VERSION = 1;

/** What the program knows about itself. */
export interface Settings {
  /** The shop's address. */
  readonly shopUrl: string;
  /** The product's id (`prod_…`), as certificates name it. */
  readonly product: string;
  /** What tells this device from another: any text of up to 255 characters that stays the same. */
  readonly fingerprint: string;
  /** The shop's public keys as of when the program was built; then no others count. Without: fetched and kept. */
  readonly keys?: KeySet | null;
  /** The language of messages, as a tag. */
  readonly language?: string;
}

/** What is kept between two runs. Holds the license key, so its text belongs where only the user reads it. */
export interface Kept {
  readonly key: string | null;
  readonly certificate: string | null;
  /** The code of the shop's last "no", until it says yes again. */
  readonly refused: string | null;
  readonly keys: KeySet | null;
  readonly issuedAt: number;
  readonly highestTime: number;
  /** The license and the seat that the newest certificate named; they outlive it. */
  readonly license: string | null;
  readonly activation: string | null;
  /** Since when the "no" holds: what was signed before does not lift it. */
  readonly refusedAt: number | null;
  /** The request for a seat whose answer is awaited. */
  readonly request: Pending | null;
  /** The seat that was given back last, and the request that gives it back. */
  readonly released: string | null;
  readonly releaseRequest: string | null;
}

/** A request for a seat that somebody carries to the shop: the key and the device's name in it, and what the answer must repeat. */
export interface Pending {
  readonly key: string;
  readonly name: string | null;
  readonly nonce: string;
  readonly text: string;
}

export type Call = 'inquire' | 'activate' | 'validate' | 'heartbeat' | 'deactivate';

/** What an answer means. */
type Meaning =
  | { readonly kind: 'certificate'; readonly certificate: string }
  | { readonly kind: 'proceed' }
  | { readonly kind: 'released' }
  | { readonly kind: 'no' | 'unclear'; readonly code: string; readonly said: string | null };

export const NOTHING_KEPT: Kept = {
  key: null,
  certificate: null,
  refused: null,
  keys: null,
  issuedAt: 0,
  highestTime: 0,
  license: null,
  activation: null,
  refusedAt: null,
  request: null,
  released: null,
  releaseRequest: null,
};
const KEPT_TEXTS = ['key', 'certificate', 'refused', 'license', 'activation', 'released', 'release_request'];

/** Reads what `keptText` wrote. A text that cannot be read is as good as none. */
export function readKept(text: string): Kept {
  const stored = jsonObject(text);
  const understood =
    stored?.['version'] === VERSION &&
    KEPT_TEXTS.every((name) => isTextOrAbsent(stored[name])) &&
    ['issued_at', 'highest_time'].every((name) => Number.isSafeInteger(stored[name])) &&
    Number.isSafeInteger(stored['refused_at'] ?? 0) &&
    isPendingOrAbsent(stored['request']);
  if (!understood) return NOTHING_KEPT;
  return {
    key: asText(stored['key']),
    certificate: asText(stored['certificate']),
    refused: asText(stored['refused']),
    keys: readKeys(JSON.stringify(stored['jwks'] ?? null)),
    issuedAt: stored['issued_at'] as number,
    highestTime: stored['highest_time'] as number,
    license: asText(stored['license']),
    activation: asText(stored['activation']),
    refusedAt: (stored['refused_at'] ?? null) as number | null,
    request: readPending(stored['request']),
    released: asText(stored['released']),
    releaseRequest: asText(stored['release_request']),
  };
}

function isPendingOrAbsent(value: unknown): boolean {
  return value === undefined || value === null || readPending(value) !== null;
}

function readPending(value: unknown): Pending | null {
  const { key, name, nonce, text } = asObject(value) ?? {};
  const understood = typeof key === 'string' && isTextOrAbsent(name) && typeof nonce === 'string' && typeof text === 'string';
  return understood ? { key, name: asText(name), nonce, text } : null;
}

/** A key set, or null for what is none. */
export function readKeys(text: string): KeySet | null {
  try {
    return KeySet.parse(text);
  } catch {
    return null;
  }
}

/** The text to keep: JSON, the same in every language. */
export function keptText(kept: Kept): string {
  return JSON.stringify({
    version: VERSION,
    key: kept.key,
    certificate: kept.certificate,
    refused: kept.refused,
    jwks: kept.keys?.toJwks() ?? null,
    issued_at: kept.issuedAt,
    highest_time: kept.highestTime,
    license: kept.license,
    activation: kept.activation,
    refused_at: kept.refusedAt,
    request: kept.request,
    released: kept.released,
    release_request: kept.releaseRequest,
  });
}

const PATHS: Record<Call, string> = {
  inquire: '/v1/licenses/validate',
  validate: '/v1/licenses/validate',
  activate: '/v1/licenses/activate',
  heartbeat: '/v1/licenses/heartbeat',
  deactivate: '/v1/licenses/deactivate',
};

/** The question as it is sent. */
export function request(call: Call, settings: Settings, key: string, deviceName: string | null): { url: string; body: object } {
  const body = {
    key,
    ...(call !== 'inquire' && { fingerprint: settings.fingerprint }),
    ...((call === 'inquire' || call === 'validate') && { product: settings.product }),
    ...(call === 'activate' && deviceName !== null && { name: deviceName }),
  };
  return { url: shopUrl(settings) + PATHS[call], body };
}

/**
 * The key that a person typed, in its one proper form; or why it is none, told
 * without asking anybody. Of a signed key it is the short one in it, which the
 * shop is asked by. A text that is no key of ours may be one that was brought
 * along from elsewhere, and is left as it is.
 */
export function typed(settings: Settings, text: string): string | Outcome {
  const signed = signedKeyCode(text);
  if (signed !== null) return signed;
  try {
    return parseKey(text);
  } catch (error) {
    const code = error instanceof KeyCodeError ? error.code : null;
    if (code === 'empty') return outcome(settings, 'refused', 'key_missing');
    if (code === 'wrong_check_symbols') return outcome(settings, 'refused', 'key_mistyped');
    return text.trim();
  }
}

/** Whether the shop's public keys have to be fetched before this answer can be settled. */
export function wantsKeys(call: Call, settings: Settings, kept: Kept, reply: Reply): boolean {
  const meaning = read(call, reply);
  if (meaning.kind !== 'certificate' || settings.keys) return false;
  try {
    return trusted(settings, kept).find(keyId(meaning.certificate)) === null;
  } catch {
    return false;
  }
}

/** How the license stands by what is kept, without asking. */
export async function look(settings: Settings, kept: Kept, now: number): Promise<[Kept, Outcome]> {
  return [seen(kept, now), await lookOnly(settings, kept, now)];
}

export async function lookOnly(settings: Settings, kept: Kept, now: number): Promise<Outcome> {
  // What came as a file has no key.
  if (kept.key === null && kept.certificate === null) return outcome(settings, 'refused', 'not_activated');
  if (kept.refused !== null) return outcome(settings, 'refused', kept.refused);
  if (now + ROLLBACK_SECONDS < kept.highestTime) return outcome(settings, 'undetermined', 'clock_rolled_back');
  try {
    const { product, fingerprint } = settings;
    const claims = await verify(kept.certificate ?? '', trusted(settings, kept), now, LEEWAY_SECONDS, product, fingerprint);
    return now < refreshAt(claims)
      ? outcome(settings, 'valid', 'valid', null, claims)
      : outcome(settings, 'grace', 'refresh_due', null, claims);
  } catch (error) {
    return outcome(settings, 'undetermined', leaseCode(codeOf(error)));
  }
}

export function leaseCode(code: string): string {
  switch (code) {
    case 'expired':
      return 'lease_ended';
    case 'not_yet_valid':
      return 'clock_rolled_back';
    case 'wrong_product':
    case 'wrong_device':
      return code;
    default:
      return 'lease_damaged';
  }
}

/** What an answer changes. No outcome after "inquire": nothing speaks against activating. */
export async function settle(
  call: Call,
  settings: Settings,
  kept: Kept,
  key: string,
  now: number,
  reply: Reply,
): Promise<[Kept, Outcome | null]> {
  let meaning = read(call, reply);
  if (meaning.kind === 'certificate') {
    const { certificate } = meaning;
    const accepted = await accept(settings, kept, now, certificate);
    if (!('kind' in accepted)) return settleYes(settings, kept, key, now, certificate, accepted);
    meaning = accepted;
  }
  const after = seen(kept, now);
  switch (meaning.kind) {
    case 'proceed':
    case 'certificate':
      return [after, null];
    case 'released':
      return [givenBack(after), outcome(settings, 'released', 'released')];
    case 'no': {
      const { code, said } = meaning;
      // A "no" about another key than the one that works here takes nothing away.
      const left = after.key === key ? { ...after, certificate: null, refused: code, refusedAt: now } : after;
      return [left, outcome(settings, 'refused', code, said)];
    }
    case 'unclear':
      return [after, await settleUnclear(call, settings, kept, key, now, meaning.code, meaning.said)];
  }
}

/** Whether the shop's proof holds. It must, here and now: an answer can be made up, a signature cannot. */
async function accept(settings: Settings, kept: Kept, now: number, certificate: string): Promise<Claims | Meaning> {
  let claims: Claims;
  try {
    claims = await verify(certificate, trusted(settings, kept), now, LEEWAY_SECONDS);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'expired' || code === 'not_yet_valid') return unclear('clock_wrong');
    return unclear(code === 'unknown_key' ? code : 'certificate_refused');
  }
  if (claims.aud !== settings.product) return { kind: 'no', code: 'wrong_product', said: null };
  const isForeign = claims.fingerprint !== null && claims.fingerprint !== settings.fingerprint;
  if (isForeign || claims.iat + LEEWAY_SECONDS < kept.issuedAt) return unclear('certificate_refused');
  if (claims.iat > now + ROLLBACK_SECONDS) return unclear('clock_wrong');
  if (claims.license.state !== 'active') return { kind: 'no', code: claims.license.state, said: null };
  return claims;
}

function settleYes(settings: Settings, kept: Kept, key: string, now: number, certificate: string, claims: Claims): [Kept, Outcome] {
  // A newer certificate is the shop's word about the time, and the only thing that lowers the highest time: a
  // device whose clock was once far ahead works again when the shop was asked.
  const last = claims.iat >= kept.issuedAt ? claims.iat : kept.highestTime;
  const after: Kept = {
    ...NOTHING_KEPT,
    key,
    certificate,
    keys: kept.keys,
    issuedAt: Math.max(claims.iat, kept.issuedAt),
    highestTime: Math.max(last, now),
    license: claims.sub,
    activation: claims.activation,
    // The shop gives the same seat again as long as nobody told it that it is free.
    released: kept.released === claims.activation ? null : kept.released,
  };
  return [after, outcome(settings, 'valid', 'valid', null, claims)];
}

/** When nobody can tell, the license stands as it stood; what works is called grace and carries the reason. */
async function settleUnclear(
  call: Call,
  settings: Settings,
  kept: Kept,
  key: string,
  now: number,
  code: string,
  said: string | null,
): Promise<Outcome> {
  const concernsLease = call === 'validate' || call === 'heartbeat' || (call !== 'deactivate' && kept.key === key);
  if (!concernsLease) return outcome(settings, 'undetermined', code, said);
  const stood = await lookOnly(settings, kept, now);
  return stood.usable ? { ...stood, state: 'grace', code, message: said ?? message(code, languageOf(settings)) } : stood;
}

/**
 * What an answer means. One that is not plainly the shop's own "yes" or "no"
 * means that nobody can tell: a proxy's page, the portal of a hotel's network,
 * a server that stumbles.
 */
function read(call: Call, reply: Reply): Meaning {
  if (typeof reply === 'string') return unclear(reply);
  const answer = jsonObject(reply.body) ?? {};
  const code = asText(answer['code']);
  const detail = asText(answer['detail']);
  const { status } = reply;
  let meaning: Meaning | null = null;
  if (status === 200 || status === 201) meaning = yes(call, answer, code, detail);
  else if ([403, 404, 409].includes(status) && code !== null) meaning = no(call, code, detail);
  if (meaning !== null) return meaning;
  if (status >= 500 || status === 408 || status === 429) return unclear('unavailable');
  if (status >= 400 && code !== null && detail !== null) return { kind: 'unclear', code, said: detail };
  return unclear('answer_unreadable');
}

function yes(call: Call, answer: Record<string, unknown>, code: string | null, detail: string | null): Meaning | null {
  const certificate = asText(answer['certificate']);
  const proof: Meaning | null = certificate === null ? null : { kind: 'certificate', certificate };
  if (call === 'inquire' || call === 'validate') {
    const { valid } = answer;
    if (typeof valid !== 'boolean' || code === null) return null;
    if (!valid) return { kind: 'no', code, said: detail };
    return call === 'inquire' ? { kind: 'proceed' } : proof;
  }
  if (asObject(answer['activation']) === null) return null;
  if (call === 'deactivate') return { kind: 'released' };
  const standing = asText(asObject(answer['license'])?.['state']);
  if (standing === null) return null;
  // A seat of a license that does not work now is alive, and is told how the license stands instead.
  return proof ?? (standing === 'active' ? null : { kind: 'no', code: standing, said: null });
}

function no(call: Call, code: string, detail: string | null): Meaning | null {
  if (call === 'deactivate' && code === 'not_activated') return { kind: 'released' };
  if (code.startsWith('license_')) return { kind: 'no', code: code.slice('license_'.length), said: detail };
  return code === 'not_activated' || code === 'seat_limit_reached' ? { kind: 'no', code, said: detail } : null;
}

function unclear(code: string): Meaning {
  return { kind: 'unclear', code, said: null };
}

function codeOf(error: unknown): string {
  if (error instanceof CertificateError) return error.code;
  throw error;
}

/** What is left when the seat is given back: the times, the shop's keys, and which seat it was. */
export function givenBack({ keys, issuedAt, highestTime, activation, released }: Kept): Kept {
  return { ...NOTHING_KEPT, keys, issuedAt, highestTime, released: activation ?? released };
}

/** The same after this time was seen. Moves in steps, so that a look does not always write. */
export function seen(kept: Kept, now: number): Kept {
  return now >= kept.highestTime + NOTICE_SECONDS ? { ...kept, highestTime: now } : kept;
}

export function trusted(settings: Settings, kept: Kept): KeySet {
  return settings.keys ?? kept.keys ?? KeySet.NONE;
}

/** The shop's address without a slash at its end. */
export function shopUrl(settings: Settings): string {
  return settings.shopUrl.replace(/\/+$/, '');
}

export function languageOf(settings: Settings): string {
  return settings.language ?? 'en';
}

export function refreshAt(claims: Claims): number {
  return claims.iat + Math.floor(Math.max(claims.exp - claims.iat, 0) / 2);
}

export function outcome(settings: Settings, state: State, code: string, said: string | null = null, claims: Claims | null = null): Outcome {
  return {
    state,
    code,
    message: said ?? message(code, languageOf(settings)),
    usable: state === 'valid' || state === 'grace',
    portalUrl: `${shopUrl(settings)}/portal`,
    license: claims && {
      id: claims.sub,
      product: claims.aud,
      plan: claims.license.plan,
      features: claims.license.features,
      expiresAt: claims.license.expires_at,
    },
    carriesUntil: claims && claims.exp,
    refreshAt: claims && refreshAt(claims),
    request: null,
    requestUrl: null,
  };
}
