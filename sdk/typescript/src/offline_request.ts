// What an app without a network asks the shop for, as a text that a person
// carries to a page of the shop: `<payload>.<mac>`, the payload JSON in
// base64url, the MAC HMAC-SHA-256 (RFC 2104) by the license key, cut to 16
// bytes. A request that gives a seat back holds no key; its MAC proves that
// its maker has it.

import { type Bytes, encodeBase64, utf8 } from './bytes.js';
import { sha256 } from './sha2.js';

const VERSION = 1;
const BLOCK_BYTES = 64;
const MAC_BYTES = 16;

/** The request as the text that is carried. What is null is left out. */
export function requestText(key: string, asked: Readonly<Record<string, string | number | null>>): string {
  const said = Object.entries({ ...asked, v: VERSION }).filter(([, value]) => value !== null);
  const json = JSON.stringify(Object.fromEntries(said.sort(([one], [other]) => (one < other ? -1 : 1))));
  const payload = encodeBase64(utf8(json));
  return `${payload}.${encodeBase64(mac(utf8(key), utf8(payload)))}`;
}

function mac(key: Bytes, message: Bytes): Bytes {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key);
  const hash = (pad: number, text: Bytes) => sha256(new Uint8Array([...block.map((byte) => byte ^ pad), ...text]));
  return hash(0x5c, hash(0x36, message)).slice(0, MAC_BYTES);
}
