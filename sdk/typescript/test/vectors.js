// The shared vectors: every client library agrees on each of them.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { decodeBase64 } from '../dist/bytes.js';
import { hasSigned, hasSignedByHand } from '../dist/ed25519.js';
import {
  Client,
  KeySet,
  LEEWAY_SECONDS,
  MESSAGES,
  MemoryStorage,
  NOTICE_SECONDS,
  ROLLBACK_SECONDS,
  message,
  parseKey,
  readLicenseFile,
  verify,
  verifyRevocations,
  verifySignedKey,
} from '../dist/index.js';
import { NOTHING_KEPT, keptText, readKept } from '../dist/lease.js';
import { requestText } from '../dist/offline_request.js';
import { named } from '../dist/revocation.js';
import { signedKeyCode } from '../dist/signed_key.js';
import { sha256, sha512 } from '../dist/sha2.js';

const vectors = JSON.parse(await readFile(new URL('../../vectors.json', import.meta.url), 'utf8'));

function rows(section) {
  assert.ok(vectors[section].length > 0, section);
  return vectors[section];
}

/** What came out, and the code of what was thrown. */
async function told(work) {
  try {
    return [await work(), null];
  } catch (error) {
    if (error.code === undefined) throw error;
    return [null, error.code];
  }
}

test('the numbers are the same', () => {
  const { leeway_seconds, rollback_seconds, notice_seconds } = vectors;
  assert.deepEqual([LEEWAY_SECONDS, ROLLBACK_SECONDS, NOTICE_SECONDS], [leeway_seconds, rollback_seconds, notice_seconds]);
});

test('keys', async () => {
  for (const { text, key, error } of rows('keys')) {
    assert.deepEqual(await told(() => parseKey(text)), [key, error], text);
  }
});

test('key sets', async () => {
  for (const { name, jwks, kids, error } of rows('key_sets')) {
    assert.deepEqual(await told(() => KeySet.parse(jwks).kids()), [kids, error], name);
  }
});

test('signatures, with WebCrypto and without', async () => {
  for (const row of rows('signatures')) {
    const [key, text, signature] = [row.public_key, row.message, row.signature].map(decodeBase64);
    assert.equal(await hasSigned(key, text, signature), row.holds, row.name);
    assert.equal(hasSignedByHand(key, text, signature), row.holds, `${row.name}, by hand`);
  }
});

test('hashes by hand are those of Node, at every length around a block', () => {
  for (let length = 0; length < 260; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 255);
    for (const [name, hash] of [['sha256', sha256], ['sha512', sha512]]) {
      const expected = createHash(name).update(bytes).digest('hex');
      assert.equal(Buffer.from(hash(bytes)).toString('hex'), expected, `${name} of ${length}`);
    }
  }
});

for (const lacks of [null, 'Ed25519', 'everything']) {
  test(`certificates, where WebCrypto lacks ${lacks ?? 'nothing'}`, async (context) => {
    if (lacks !== null) {
      const subtle = { importKey: () => Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError')) };
      const crypto = lacks === 'everything' ? undefined : { subtle };
      const before = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
      Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true });
      context.after(() => Object.defineProperty(globalThis, 'crypto', before));
    }
    const keys = KeySet.parse(JSON.stringify(vectors.jwks));
    for (const row of rows('certificates')) {
      const read = () => verify(row.certificate, keys, row.now, LEEWAY_SECONDS, row.product, row.fingerprint);
      assert.deepEqual(await told(read), [row.claims, row.error], row.name);
    }
  });
}

test('signed keys', async () => {
  const keys = KeySet.parse(JSON.stringify(vectors.jwks));
  for (const { name, text, now, product, says, code, error } of rows('signed_keys')) {
    assert.deepEqual(await told(() => verifySignedKey(text, keys, now, product)), [says, error], name);
    assert.equal(signedKeyCode(text), code, name);
  }
});

test('files', async () => {
  for (const { name, text, certificate, error } of rows('files')) {
    assert.deepEqual(await told(() => readLicenseFile(text)), [certificate, error], name);
  }
});

test('requests', () => {
  for (const { name, key, request, text } of rows('requests')) {
    assert.equal(requestText(key, request), text, name);
  }
});

test('revocations', async () => {
  const keys = KeySet.parse(JSON.stringify(vectors.jwks));
  for (const { name, text, claims, code, error } of rows('revocations')) {
    const [entries, refused] = await told(() => verifyRevocations(text, keys));
    const entry = entries && named(entries, claims);
    assert.deepEqual([entry && entry[1], refused], [code, error], name);
  }
});

const METHODS = {
  request_activation: 'requestActivation',
  request_release: 'requestRelease',
  check_revocations: 'checkRevocations',
};

test('messages', () => {
  assert.equal(Object.keys(MESSAGES).length, rows('messages').length);
  for (const { code, en, de } of rows('messages')) {
    assert.deepEqual([message(code, 'en'), message(code, 'de-AT')], [en, de]);
  }
});

test('journeys', async () => {
  for (const { name, pinned, steps } of rows('journeys')) {
    const { shop_url, product, fingerprint } = vectors.settings;
    const keys = pinned ? KeySet.parse(JSON.stringify(vectors.jwks)) : null;
    const storage = new MemoryStorage();
    for (const step of steps) {
      const asked = [];
      const transport = {
        async send(url, body, language) {
          assert.equal(language, 'en');
          const { reply } = step.exchanges[asked.length];
          asked.push({ url, body, reply });
          return reply;
        },
      };
      const settings = { shopUrl: shop_url, product, fingerprint, keys };
      const chance = (length) => new Uint8Array(length).fill(step.chance);
      const client = await Client.open(settings, storage, { transport, clock: () => step.now, chance });
      const given = { activate: [step.key], request_activation: [step.key, 'Device 7'] }[step.call];
      const outcome = await client[METHODS[step.call] ?? step.call](...(given ?? (step.text === null ? [] : [step.text])));
      const where = `${name}: ${step.call} at ${step.now}`;
      assert.deepEqual(outcomeOf(outcome), step.outcome, where);
      assert.deepEqual(asked, step.exchanges, where);
      assert.deepEqual(JSON.parse(client.keptText), step.kept, where);
      assert.equal(keptText(readKept(storage.read() ?? '')), client.keptText, where);
    }
  }
});

test('a text that cannot be read is as good as none', () => {
  for (const text of ['', 'null', '[]', '{}', '{"version":2}', '{"version":1,"key":7,"issued_at":0,"highest_time":0}']) {
    assert.deepEqual(readKept(text), NOTHING_KEPT, text);
  }
});

function outcomeOf({ state, code, message, usable, portalUrl, license, carriesUntil, refreshAt, request, requestUrl }) {
  return {
    state,
    code,
    message,
    usable,
    portal_url: portalUrl,
    license: license && {
      id: license.id,
      product: license.product,
      plan: license.plan,
      features: license.features,
      expires_at: license.expiresAt,
    },
    carries_until: carriesUntil,
    refresh_at: refreshAt,
    request,
    request_url: requestUrl,
  };
}
