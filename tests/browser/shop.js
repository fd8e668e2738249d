// A demo shop of its own for each test: the binary, its data in a temporary
// folder, its simulated gateway. Nothing here touches a shop that others use.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BINARY = process.env.LATCHKEY_BINARY ?? fileURLToPath(new URL('../../target/debug/latchkey', import.meta.url));
const START_DEADLINE_MS = 30_000;

/** Starts a shop, hands it to `use`, and clears everything away whatever happens. */
export async function withShop(use) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-browser-'));
  const child = spawn(BINARY, ['demo', '--listen', '127.0.0.1:0', '--data', folder, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let talk = '';
  child.stderr.on('data', (text) => { talk += text; });
  try {
    const used = await use(new Shop(await printed(child, () => talk), folder));
    if (errors(talk).length > 0) throw new Error('the shop logged errors');
    return used;
  } catch (error) {
    const lines = errors(talk);
    if (lines.length > 0) error.message += `\n  the shop said: ${lines.slice(-5).join('\n  ')}`;
    throw error;
  } finally {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(late);
    await rm(folder, { recursive: true, force: true });
  }
}

function errors(talk) {
  return talk.split('\n').filter((line) => /"level":"ERROR"|panicked/.test(line));
}

function printed(child, talk) {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error(`${BINARY} printed nothing: ${talk()}`)), START_DEADLINE_MS);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${BINARY} ended with ${code}: ${talk()}`)));
    child.stdout.on('data', (part) => {
      text += part;
      try {
        resolve(JSON.parse(text));
        clearTimeout(late);
      } catch {
        // Not all of it is there yet.
      }
    });
  });
}

export class Shop {
  constructor(shown, folder) {
    Object.assign(this, shown);
    this.folder = folder;
    this.origin = new URL(shown.storefront).origin;
    this.sandbox = new URL(shown.sandbox).origin;
  }

  url(path) {
    return `${this.origin}${path}`;
  }

  /** Puts what stands in a shop file into the catalog. */
  async apply(text) {
    const file = join(this.folder, 'more.toml');
    await writeFile(file, text);
    await promisify(execFile)(BINARY, ['apply', file, '--data', this.folder]);
  }

  /** Moves the gateway's clock, and has it send everything that is due. */
  async later(seconds) {
    await this.#call(`${this.sandbox}/_control/clock`, { advance_seconds: seconds });
    await this.flush();
  }

  async flush() {
    await this.#call(`${this.sandbox}/_control/flush`, {});
  }

  async validate(key) {
    return this.#call(this.url('/v1/licenses/validate'), { key });
  }

  async activate(key, fingerprint, name) {
    return this.#call(this.url('/v1/licenses/activate'), { key, fingerprint, name });
  }

  /** A call of the management API. */
  async manage(path, body) {
    return this.#call(this.url(path), body, { authorization: `Bearer ${this.api_key}` });
  }

  async #call(url, body, headers = {}) {
    const given = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(url, { ...given, headers: { 'content-type': 'application/json', ...headers } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}
