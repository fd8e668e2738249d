// A program with a license, on the command line:
// `sample.js <shop> <product> <file> <command> [key]`. Prints the outcome as one
// line of JSON; ends with 0 when the license works, or the seat was given back.

import { Client } from 'latchkey-client';
import { FileStorage } from 'latchkey-client/node';

const COMMANDS = ['activate', 'validate', 'heartbeat', 'status', 'refresh', 'deactivate'];
const [shopUrl, product, file, command, key = ''] = process.argv.slice(2);
if (!COMMANDS.includes(command)) {
  console.error(`sample.js <shop> <product> <file> ${COMMANDS.join('|')} [key]`);
  process.exit(2);
}

const settings = { shopUrl, product, fingerprint: 'sample-device-typescript' };
const license = await Client.open(settings, new FileStorage(file));
const outcome = await (command === 'activate' ? license.activate(key, 'The TypeScript sample') : license[command]());
console.log(
  JSON.stringify({
    state: outcome.state,
    code: outcome.code,
    message: outcome.message,
    portal_url: outcome.portalUrl,
    features: outcome.license?.features ?? null,
    carries_until: outcome.carriesUntil,
    refresh_at: outcome.refreshAt,
  }),
);
process.exitCode = outcome.usable || outcome.state === 'released' ? 0 : 1;
