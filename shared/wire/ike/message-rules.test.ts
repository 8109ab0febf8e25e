import { describe, expect, test } from 'vitest';
import { type Chain, emitChain, parseChain } from './chain.ts';
import { checkMessage, MESSAGE_RULES, type MessageName } from './message-rules.ts';
import type { Payload, PayloadKind } from './payload.ts';

const nothing = new Uint8Array(0);
const SAMPLES: Readonly<Record<PayloadKind, Payload>> = {
  SA: { kind: 'SA', proposals: [{ number: 1, protocol: 1, spi: nothing, transforms: [] }] },
  KE: { kind: 'KE', data: new Uint8Array(64) },
  ID: { kind: 'ID', idType: 2, ipProtocol: 0, port: 0, data: nothing },
  CERT: { kind: 'CERT', encoding: 4, data: nothing },
  CR: { kind: 'CR', encoding: 4, data: nothing },
  HASH: { kind: 'HASH', data: new Uint8Array(20) },
  SIG: { kind: 'SIG', data: new Uint8Array(64) },
  NONCE: { kind: 'NONCE', data: new Uint8Array(16) },
  N: { kind: 'N', doi: 1, protocol: 1, notifyType: 1, spi: nothing, data: nothing },
  D: { kind: 'D', doi: 1, protocol: 1, spis: [] },
  VID: { kind: 'VID', data: new Uint8Array(16) },
  'NAT-D': { kind: 'NAT-D', numbers: 'rfc3947', hash: new Uint8Array(20) },
  'NAT-OA': { kind: 'NAT-OA', numbers: 'rfc3947', address: new Uint8Array(4) },
  FRAGMENT: { kind: 'FRAGMENT', id: 1, number: 1, last: true, data: new Uint8Array(4) },
  private: { kind: 'private', type: 200, data: nothing },
};
const KINDS = Object.keys(SAMPLES) as PayloadKind[];

function chainOf(kinds: readonly PayloadKind[]): Chain {
  const { first, octets } = emitChain(kinds.map((kind) => SAMPLES[kind]));
  const chain = parseChain(octets, 0, first);
  if (!chain.ok) throw new Error(`sample chain: ${chain.reason}`);
  return chain.value;
}

/** What a message must have, the leading payload first. */
function least(name: MessageName): PayloadKind[] {
  const { payloads, leads } = MESSAGE_RULES[name];
  const must = KINDS.flatMap((kind) => new Array<PayloadKind>(payloads[kind]?.[0] ?? 0).fill(kind));
  return leads === undefined ? must : [leads, ...must.filter((kind) => kind !== leads)];
}

/** RFC 2409 §5 and RFC 3947, transcribed: what each message may carry besides Vendor IDs and notifications. */
const ALLOWED: Readonly<Record<MessageName, string>> = {
  MM1: 'SA CR',
  MM2: 'SA CR',
  MM3: 'KE NONCE CR CERT NAT-D',
  MM4: 'KE NONCE CR CERT NAT-D',
  MM5: 'ID HASH SIG CERT CR',
  MM6: 'ID HASH SIG CERT CR',
  QM1: 'HASH SA NONCE KE ID NAT-OA',
  QM2: 'HASH SA NONCE KE ID NAT-OA',
  QM3: 'HASH',
  INFO: 'HASH D',
  'INFO (clear)': 'D',
  AM1: 'SA KE NONCE ID CR CERT',
  FRAGMENT: 'FRAGMENT',
};

describe('message law', () => {
  for (const name of Object.keys(MESSAGE_RULES) as MessageName[]) {
    const must = least(name);
    const along = name === 'FRAGMENT' ? [] : ['N', 'VID', 'private'];
    const allowed = [...ALLOWED[name].split(' '), ...along];

    test(`${name}: what must be there`, () => {
      if (must.length === 0) return;
      expect(checkMessage(name, chainOf(must)).ok).toBe(true);
      for (const kind of new Set(must)) {
        if (must.length === 1) continue;
        expect(checkMessage(name, chainOf(must.filter((other) => other !== kind))).ok).toBe(false);
      }
    });

    test(`${name}: what may and what must not be there`, () => {
      for (const kind of KINDS) {
        const outcome = checkMessage(name, chainOf([...must, kind]));
        if (!allowed.includes(kind)) expect(outcome).toMatchObject({ ok: false, reason: 'unexpected' });
        else if (MESSAGE_RULES[name].payloads[kind]?.[1] === 1 && must.includes(kind)) {
          expect(outcome).toMatchObject({ ok: false, reason: 'duplicate' });
        } else if (kind !== 'SA') expect(outcome.ok).toBe(true);
      }
    });

    test(`${name}: bounds`, () => {
      for (const kind of KINDS) {
        const most = MESSAGE_RULES[name].payloads[kind]?.[1];
        if (most === undefined || most === 1) continue;
        const many = new Array<PayloadKind>(most + 1).fill(kind);
        const limited = kind === 'CERT' || kind === 'CR';
        if (!limited) expect(checkMessage(name, chainOf([...must, ...many])).ok).toBe(false);
      }
    });

    test(`${name}: what leads`, () => {
      const { leads } = MESSAGE_RULES[name];
      if (leads === undefined || name === 'FRAGMENT') return;
      expect(checkMessage(name, chainOf(['VID', ...must]))).toMatchObject({
        ok: false,
        reason: 'unexpected',
        offset: 0,
      });
    });
  }
});
