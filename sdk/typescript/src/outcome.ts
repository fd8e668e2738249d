// What a call came to: a state to branch on, a code to be precise, a sentence
// for the person in front of it.

/**
 * valid: it works, and the shop said so lately. grace: it works because the
 * certificate still counts, though the shop did not confirm it. refused: the
 * shop said no, or nothing was ever activated here. undetermined: nobody can
 * tell, and no certificate carries the program; never a "no". released: the
 * seat is free again.
 */
export type State = 'valid' | 'grace' | 'refused' | 'undetermined' | 'released';

/** What a call came to. Times are seconds since 1970. */
export interface Outcome {
  readonly state: State;
  /** The reason, as a stable word. */
  readonly code: string;
  /** The reason as a sentence: the shop's own where it spoke, ours otherwise. */
  readonly message: string;
  /** Whether the program may run: valid or grace. */
  readonly usable: boolean;
  /** Where the buyer frees seats, finds keys and renews. */
  readonly portalUrl: string;
  /** What was bought, where a certificate says so. */
  readonly license: License | null;
  /** Until when the certificate carries the program without the shop. */
  readonly carriesUntil: number | null;
  /** When the shop should be asked again: halfway. */
  readonly refreshAt: number | null;
  /** What a person carries to the shop, as one line of text. One for a seat holds the license key. */
  readonly request: string | null;
  /** The page that takes the request, with the request behind the `#`: what a QR code shows. */
  readonly requestUrl: string | null;
}

/** What was bought, as the certificate says. */
export interface License {
  readonly id: string;
  readonly product: string;
  readonly plan: string;
  readonly features: readonly string[];
  /** When the license itself ends, in seconds since 1970. */
  readonly expiresAt: number | null;
}
