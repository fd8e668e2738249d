// Licenses in a program that is sold with Latchkey: activate, validate,
// heartbeat, deactivate, and go on while the shop cannot be reached. For Node
// and for browsers; needs no other package.
//
// One state machine, the same in every language: docs/clients.md has it in
// words and sdk/vectors.json in examples.

export { CertificateError, verify, type Claims } from './certificate.js';
export { BrowserStorage, Client, MemoryStorage, type ClientOptions, type Storage } from './client.js';
export { Http, type Reply, type Transport } from './http.js';
export { KeyCodeError, parseKey } from './key_code.js';
export { KeySet, KeySetError } from './key_set.js';
export { LicenseFileError, readLicenseFile } from './license_file.js';
export { LEEWAY_SECONDS, NOTICE_SECONDS, ROLLBACK_SECONDS, type Kept, type Settings } from './lease.js';
export { MESSAGES, message } from './message.js';
export type { License, Outcome, State } from './outcome.js';
export { verifyRevocations, type Revoked } from './revocation.js';
export { SignedKeyError, type SignedKey, verifySignedKey } from './signed_key.js';
