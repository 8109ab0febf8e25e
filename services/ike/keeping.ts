import type { Config } from '@culvert/config';
import type { EntropySource } from '@culvert/host';
import type { Agreements } from './agreements.ts';
import type { Directory } from './directory.ts';
import type { Fragments } from './fragments.ts';
import type { Contact } from './inputs.ts';
import type { PskChoice } from './psk.ts';

/** What opening and sealing need beyond the session itself. */
export interface Keeping {
  readonly config: Config;
  readonly directory: Directory;
  readonly fragments: Fragments;
  readonly entropy: EntropySource;
  readonly agreements: Agreements;
  readonly psks: PskChoice;
  /** The session of an ISAKMP SA is settled. */
  admitted(session: string, admission: { readonly isakmpSa: string; readonly contact: Contact }): void;
}
