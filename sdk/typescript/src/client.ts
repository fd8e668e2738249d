// The client: asks the shop, keeps what was answered, and tells how the
// license stands. One client speaks for one license on one device; two
// programs, or two tabs, that share a place to keep things must take turns.

import type { Bytes } from './bytes.js';
import { Http, type Transport } from './http.js';
import type { KeySet } from './key_set.js';
import {
  type Call,
  type Kept,
  keptText,
  languageOf,
  look,
  NOTHING_KEPT,
  readKept,
  readKeys,
  request,
  type Settings,
  settle,
  shopUrl,
  typed,
  wantsKeys,
} from './lease.js';
import { checkRevocations, fileWantsKeys, install, requestActivation, requestRelease } from './offline.js';
import type { Outcome } from './outcome.js';

/** A place to keep one text between two runs, where only the user reads it. */
export interface Storage {
  /** What was written last, or null. */
  read(): Promise<string | null> | string | null;
  /** Replaces it as a whole. */
  write(text: string): Promise<void> | void;
}

export interface ClientOptions {
  readonly transport?: Transport;
  /** Seconds since 1970. */
  readonly clock?: () => number;
  /** So many bytes that nobody predicts. */
  readonly chance?: (length: number) => Bytes;
}

/** The license of this program on this device. Every call rejects only when the storage does. */
export class Client {
  readonly #settings: Settings;
  readonly #storage: Storage;
  readonly #transport: Transport;
  readonly #clock: () => number;
  readonly #chance: (length: number) => Bytes;
  #kept: Kept;

  private constructor(settings: Settings, storage: Storage, kept: Kept, options: ClientOptions) {
    this.#settings = settings;
    this.#storage = storage;
    this.#kept = kept;
    this.#transport = options.transport ?? new Http();
    this.#chance = options.chance ?? ((length) => globalThis.crypto.getRandomValues(new Uint8Array(length)));
    this.#clock = options.clock ?? (() => Math.floor(Date.now() / 1_000));
  }

  /** Reads what was kept. Asks nobody. */
  static async open(settings: Settings, storage: Storage, options: ClientOptions = {}): Promise<Client> {
    const text = await storage.read();
    return new Client(settings, storage, text === null ? NOTHING_KEPT : readKept(text), options);
  }

  /** What is kept, as it is written. */
  get keptText(): string {
    return keptText(this.#kept);
  }

  /** How the license stands by what is kept, without asking. */
  async status(): Promise<Outcome> {
    const [kept, outcome] = await look(this.#settings, this.#kept, this.#clock());
    await this.#keep(kept);
    return outcome;
  }

  /** How the license stands, asking the shop only when that is due. For the start of the program, and from time to time. */
  async refresh(): Promise<Outcome> {
    const outcome = await this.status();
    return outcome.state === 'valid' ? outcome : this.validate();
  }

  /** Takes a seat for this device. Repeated, it comes to the same seat. */
  async activate(key: string, deviceName: string | null = null): Promise<Outcome> {
    const proper = typed(this.#settings, key);
    if (typeof proper !== 'string') return proper;
    const outcome = await this.#ask('inquire', proper, null);
    return outcome ?? (await this.#ask('activate', proper, deviceName)) ?? this.status();
  }

  /** Asks whether the license works on this device, and renews the certificate. */
  validate(): Promise<Outcome> {
    return this.#withKey('validate');
  }

  /** Tells the shop that this device is alive, and renews the certificate. */
  heartbeat(): Promise<Outcome> {
    return this.#withKey('heartbeat');
  }

  /** Gives the seat back. When the shop cannot be reached, the seat stays taken and the license stays. */
  deactivate(): Promise<Outcome> {
    return this.#withKey('deactivate');
  }

  /**
   * Asks for a seat without a network: the outcome has a `request` that a
   * person carries to the shop. Asked again it is the same request, until a
   * license file was installed.
   */
  requestActivation(key: string, deviceName: string | null = null): Promise<Outcome> {
    return this.#settled(requestActivation(this.#settings, this.#kept, key, deviceName, this.#chance(16), this.#clock()));
  }

  /**
   * Gives the seat back without a network: the license ends here, and the
   * outcome has a `request` that a person carries to the shop, which frees the
   * seat. Asked again it is the same request.
   */
  requestRelease(): Promise<Outcome> {
    return this.#settled(requestRelease(this.#settings, this.#kept, this.#chance(16), this.#clock()));
  }

  /**
   * Takes a license file that a person brought, or the text of its QR code.
   * Asks nobody, but for the shop's keys where none that it knows signed the
   * file.
   */
  async install(file: string): Promise<Outcome> {
    let kept = this.#kept;
    if (fileWantsKeys(this.#settings, kept, file)) kept = { ...kept, keys: (await this.#fetchKeys()) ?? kept.keys };
    return this.#settled(install(this.#settings, kept, file, this.#clock()));
  }

  /** Takes a revocation list that came from wherever, and refuses the license if the list names it. Asks nobody. */
  checkRevocations(list: string): Promise<Outcome> {
    return this.#settled(checkRevocations(this.#settings, this.#kept, list, this.#clock()));
  }

  async #settled(settled: Promise<[Kept, Outcome]>): Promise<Outcome> {
    const [kept, outcome] = await settled;
    await this.#keep(kept);
    return outcome;
  }

  async #withKey(call: Call): Promise<Outcome> {
    const { key } = this.#kept;
    return (key === null ? null : await this.#ask(call, key, null)) ?? this.status();
  }

  async #ask(call: Call, key: string, deviceName: string | null): Promise<Outcome | null> {
    const { url, body } = request(call, this.#settings, key, deviceName);
    const reply = await this.#transport.send(url, body, languageOf(this.#settings));
    let kept = this.#kept;
    if (wantsKeys(call, this.#settings, kept, reply)) {
      kept = { ...kept, keys: (await this.#fetchKeys()) ?? kept.keys };
    }
    const [after, outcome] = await settle(call, this.#settings, kept, key, this.#clock(), reply);
    await this.#keep(after);
    return outcome;
  }

  async #fetchKeys(): Promise<KeySet | null> {
    const url = `${shopUrl(this.#settings)}/.well-known/jwks.json`;
    const reply = await this.#transport.send(url, null, languageOf(this.#settings));
    return typeof reply !== 'string' && reply.status === 200 ? readKeys(reply.body) : null;
  }

  async #keep(kept: Kept): Promise<void> {
    if (keptText(kept) !== keptText(this.#kept)) {
      await this.#storage.write(keptText(kept));
      this.#kept = kept;
    }
  }
}

/** Forgets with the program: for tests. */
export class MemoryStorage implements Storage {
  #text: string | null = null;

  read(): string | null {
    return this.#text;
  }

  write(text: string): void {
    this.#text = text;
  }
}

/** Keeps in the browser's local storage, under this name. */
export class BrowserStorage implements Storage {
  constructor(readonly name: string) {}

  read(): string | null {
    return globalThis.localStorage.getItem(this.name);
  }

  write(text: string): void {
    globalThis.localStorage.setItem(this.name, text);
  }
}
