import {
  type Endpoint,
  type ExchangeTable,
  isakmpSaId,
  NO_EXCHANGES,
  type Phase1Suite,
} from '@culvert/actors-ike';
import type { Cookies } from '@culvert/crypto';
import type { SessionState } from '@culvert/kernel';
import type { Contact } from './inputs.ts';
import type { Place } from './place.ts';

/**
 * The keys of one session, beside its machines and never in them. Plain data; the host seals it into the
 * record. Handles: our cookie for an ISAKMP SA, the actor id for IPsec SAs and Diffie-Hellman results.
 */
export type IkeVault = {
  /** How the founding message is found again: initiator cookie and flow. */
  founding?: string;
  sas: Record<string, SaSecrets>;
  ipsec: Record<string, IpsecSecrets>;
  /** g^xy of jobs whose answer is not used yet. */
  shared: Record<string, Uint8Array>;
  contacts: Contact[];
  /** Our inbound SPIs, by the actor id that has or will have them. */
  spis: Record<string, number>;
};

export type SaSecrets = Place & {
  readonly cookies: Cookies;
  suite?: Phase1Suite;
  /** SAi_b; until Main Mode is over. */
  saBody?: Uint8Array;
  /** From MM4 to MM6: what SKEYID and the hashes are made of. */
  phase1?: Phase1Secrets;
  /** From MM5 on: the key that HASH_I verified with is pinned by its results. */
  keys?: Phase2Secrets;
  /** SKEYID and the bodies for HASH_R, from MM5 to MM6. */
  skeyid?: Uint8Array;
  /** IV of the next Main Mode message; after MM6 the block that phase 2 IVs derive from. */
  iv: Uint8Array;
  /** IVs for answers that are not sealed yet. */
  pendingIvs: readonly { readonly messageId: number; readonly iv: Uint8Array }[];
  /** Nonces of answered Quick Modes, for HASH(3). */
  nonces: readonly {
    readonly messageId: number;
    readonly initiator: Uint8Array;
    readonly responder: Uint8Array;
    readonly wentTo: Endpoint;
  }[];
  table: ExchangeTable;
  /** Both ends have sent the FRAGMENTATION Vendor ID. */
  fragments?: boolean;
  attempts: number;
};

export interface Phase1Secrets {
  readonly publicI: Uint8Array;
  readonly publicR: Uint8Array;
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

export interface Phase2Secrets {
  readonly d: Uint8Array;
  readonly a: Uint8Array;
  readonly cipherKey: Uint8Array;
}

export interface IpsecSecrets {
  readonly inbound: DirectionSecrets;
  readonly outbound: DirectionSecrets;
}

export interface DirectionSecrets {
  readonly encryption: Uint8Array;
  readonly integrity: Uint8Array;
  readonly salt: Uint8Array;
}

export function newVault(): IkeVault {
  return { sas: {}, ipsec: {}, shared: {}, contacts: [], spis: {} };
}

export function newSaSecrets(cookies: Cookies): SaSecrets {
  return { cookies, iv: new Uint8Array(0), pendingIvs: [], nonces: [], table: NO_EXCHANGES, attempts: 0 };
}

/** A session that joins another brings its ISAKMP SAs and IPsec SAs along. */
export function absorb(into: IkeVault, from: IkeVault): IkeVault {
  return {
    ...into,
    sas: { ...into.sas, ...from.sas },
    ipsec: { ...into.ipsec, ...from.ipsec },
    shared: { ...into.shared, ...from.shared },
    contacts: [...into.contacts, ...from.contacts],
    spis: { ...into.spis, ...from.spis },
  };
}

/** What the machines that are gone leave behind: cookies and SPIs to be freed. */
export interface Pruned {
  readonly cookies: readonly string[];
  readonly spis: readonly number[];
}

/** Keys leave with the machine they belong to. Wiping shortens their life; the runtime may hold copies. */
export function prune(vault: IkeVault, state: SessionState): Pruned {
  const cookies = Object.keys(vault.sas).filter((cookie) => state[isakmpSaId(cookie)] === undefined);
  for (const cookie of cookies) {
    const { d, a, cipherKey } = vault.sas[cookie]?.keys ?? {};
    for (const key of [d, a, cipherKey]) key?.fill(0);
    delete vault.sas[cookie];
  }
  for (const id of Object.keys(vault.ipsec)) if (state[id] === undefined) delete vault.ipsec[id];
  for (const id of Object.keys(vault.shared)) if (state[id] === undefined) delete vault.shared[id];
  const spis: number[] = [];
  for (const [id, spi] of Object.entries(vault.spis)) {
    if (state[id] !== undefined) continue;
    spis.push(spi);
    delete vault.spis[id];
  }
  return { cookies, spis };
}
