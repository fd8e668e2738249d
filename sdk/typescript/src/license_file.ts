// The license file: a certificate as a file that a person carries to a device
// without a network. Nothing is proven by its armour: what comes out is
// verified as every other certificate is. The bare certificate is read as
// well, as it comes from a QR code.

import { utf8 } from './bytes.js';

const MAX_FILE_BYTES = 128 * 1024;
const BEGIN = '-----BEGIN LATCHKEY LICENSE-----';
const END = '-----END LATCHKEY LICENSE-----';

/** Why no certificate was found in a text. */
export class LicenseFileError extends Error {
  constructor(readonly code: 'too_long' | 'not_a_license_file') {
    super(code);
  }
}

/**
 * The certificate in a license file, or in a text that is nothing but a
 * certificate. Not verified yet. Throws LicenseFileError.
 */
export function readLicenseFile(text: string): string {
  if (utf8(text).length > MAX_FILE_BYTES) throw new LicenseFileError('too_long');
  const certificate = text.includes(BEGIN) ? armoured(text) : text.replace(/^[ \t\r\n\ufeff]+|[ \t\r\n\ufeff]+$/g, '');
  if (certificate === null || !/^[\w-]*\.[\w-]*\.[\w-]*$/.test(certificate)) throw new LicenseFileError('not_a_license_file');
  return certificate;
}

function armoured(text: string): string | null {
  const rest = text.slice(text.indexOf(BEGIN) + BEGIN.length);
  const end = rest.indexOf(END);
  return end < 0 ? null : rest.slice(0, end).replace(/[ \t\r\n]/g, '');
}
