// The public keys that certificates are checked against: a JWK set (RFC 7517)
// of Ed25519 keys (RFC 8037), each named by its thumbprint (RFC 7638). Never
// holds a private key, and refuses a set with one.

import { asObject, asText, type Bytes, decodeBase64, encodeBase64, isTextOrAbsent, jsonObject, utf8 } from './bytes.js';
import { isPoint, isWeak } from './ed25519.js';
import { sha256 } from './sha2.js';

/** Why a set as a whole was refused. */
export class KeySetError extends Error {
  constructor(readonly code: 'not_a_key_set' | 'bad_key' | 'weak_key' | 'wrong_key_id' | 'private_key') {
    super(code);
  }
}

/** Public keys by name. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, Bytes>;

  private constructor(keys: ReadonlyMap<string, Bytes>) {
    this.#keys = keys;
  }

  static readonly NONE: KeySet = new KeySet(new Map());

  /** Reads a JWK set as the shop publishes it. Keys of other kinds are passed over. Throws KeySetError. */
  static parse(text: string): KeySet {
    const published = jsonObject(text)?.['keys'];
    if (!Array.isArray(published)) throw new KeySetError('not_a_key_set');
    const jwks = published.map(readJwk);
    const keys = new Map<string, Bytes>();
    for (const jwk of jwks) {
      if (jwk['d'] !== undefined && jwk['d'] !== null) throw new KeySetError('private_key');
      const { kty, crv, x, kid, use, alg } = jwk;
      const forSignatures = [undefined, null, 'sig'].includes(use as string) && [undefined, null, 'EdDSA', 'Ed25519'].includes(alg as string);
      if (kty !== 'OKP' || crv !== 'Ed25519' || !forSignatures) continue;
      const key = decodeBase64(asText(x) ?? '');
      if (key === null || !isPoint(key)) throw new KeySetError('bad_key');
      if (isWeak(key)) throw new KeySetError('weak_key');
      const name = thumbprint(key);
      if (typeof kid === 'string' && kid !== name) throw new KeySetError('wrong_key_id');
      keys.set(name, key);
    }
    return new KeySet(keys);
  }

  /** The set as it is published, ready for JSON. */
  toJwks(): { keys: Record<string, string>[] } {
    const jwk = ([kid, key]: [string, Bytes]) => ({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64(key), kid, use: 'sig', alg: 'EdDSA' });
    return { keys: [...this.#keys].map(jwk) };
  }

  /** The names of the keys. */
  kids(): string[] {
    return [...this.#keys.keys()];
  }

  find(kid: string): Bytes | null {
    return this.#keys.get(kid) ?? null;
  }
}

function readJwk(value: unknown): Record<string, unknown> {
  const jwk = asObject(value);
  const texts = ['crv', 'x', 'kid', 'use', 'alg'];
  if (jwk === null || typeof jwk['kty'] !== 'string' || !texts.every((name) => isTextOrAbsent(jwk[name]))) {
    throw new KeySetError('not_a_key_set');
  }
  return jwk;
}

function thumbprint(key: Bytes): string {
  return encodeBase64(sha256(utf8(`{"crv":"Ed25519","kty":"OKP","x":"${encodeBase64(key)}"}`)));
}
