// A program with a license, on the command line:
// `sample.js <shop> <product> <file> <command> [key]`. Prints the outcome as one
// line of JSON; ends with 0 when the license works, or the seat was given back.

import { readFileSync } from 'node:fs';

import { Client, KeySet } from 'latchkey-client';
import { FileStorage } from 'latchkey-client/node';

const NAME = 'The TypeScript sample';
const text = (name) => readFileSync(name === '-' ? 0 : name, 'utf8');
const CALLS = {
  activate: (license, key) => license.activate(key, NAME),
  request_activation: (license, key) => license.requestActivation(key, NAME),
  install: (license, file) => license.install(text(file)),
  check_revocations: (license, file) => license.checkRevocations(text(file)),
  request_release: (license) => license.requestRelease(),
  validate: (license) => license.validate(),
  heartbeat: (license) => license.heartbeat(),
  status: (license) => license.status(),
  refresh: (license) => license.refresh(),
  deactivate: (license) => license.deactivate(),
};
const [shopUrl, product, file, command, key = ''] = process.argv.slice(2);
if (!Object.hasOwn(CALLS, command)) {
  console.error(`sample.js <shop> <product> <file> ${Object.keys(CALLS).join('|')} [key|file]`);
  process.exit(2);
}

// A program that is sold has these keys built in; this one is told where they are.
const { LATCHKEY_KEYS } = process.env;
const keys = LATCHKEY_KEYS === undefined ? null : KeySet.parse(text(LATCHKEY_KEYS));
const settings = { shopUrl, product, keys, fingerprint: 'sample-device-typescript' };
const license = await Client.open(settings, new FileStorage(file));
const outcome = await CALLS[command](license, key);
console.log(
  JSON.stringify({
    state: outcome.state,
    code: outcome.code,
    message: outcome.message,
    portal_url: outcome.portalUrl,
    features: outcome.license?.features ?? null,
    carries_until: outcome.carriesUntil,
    refresh_at: outcome.refreshAt,
    request: outcome.request,
  }),
);
process.exitCode = outcome.usable || outcome.state === 'released' ? 0 : 1;
