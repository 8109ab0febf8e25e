import { type Happening, start, step } from '@culvert/kernel';
import {
  attributeNumber,
  NOTIFY,
  type NotificationPayload,
  type Payload,
  parseAttributes,
} from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import type { SendQm2 } from './effects.ts';
import type { QuickModeHappening } from './events.ts';
import { quickMode } from './machine.ts';

const STAMP = { at: 5000, entropy: new Uint8Array(32).fill(7) };
const PATH = {
  node: 'a',
  listener: 'main',
  flow: { local: { address: '192.0.2.1', port: 4500 }, remote: { address: '198.51.100.7', port: 4500 } },
  nonEspMarker: true,
};
const id = { kind: 'ID', idType: 1, ipProtocol: 17, port: 0, data: Uint8Array.of(10, 0, 0, 1) } as const;
const first: Extract<QuickModeHappening, { type: 'QM1' }> = {
  type: 'QM1',
  request: 'r',
  path: PATH,
  selection: {
    encryption: 'aes-cbc-256',
    integrity: 'hmac-sha1-96',
    encapsulation: 'udp',
    lifeSeconds: 3600,
    shortened: true,
    peerSpi: 0x1000,
    chosen: {
      number: 2,
      protocol: 3,
      spi: Uint8Array.of(0, 0, 16, 0),
      transforms: [{ number: 1, id: 12, attributes: [] }],
    },
  },
  nonce: new Uint8Array(16),
  ids: { initiator: id, responder: { ...id, port: 1701 } },
  spi: 0x00402000,
  natOa: {
    numbers: 'draft',
    initiator: Uint8Array.of(198, 51, 100, 7),
    responder: Uint8Array.of(192, 0, 2, 1),
  },
};

/** `<--  HDR*, HASH(2), SA, Nr, IDci, IDcr, NAT-OAi, NAT-OAr, N(RESPONDER-LIFETIME)` without its HASH. */
function answer(event: QuickModeHappening): readonly Payload[] {
  const begun = start<AnyStateMachine, Happening>(quickMode, {
    id: 'quick-mode/a',
    isakmpSa: 'a',
    messageId: 7,
  });
  const { effects } = step<AnyStateMachine, Happening>(quickMode, begun.snapshot, {
    ...event,
    ...STAMP,
  } as Happening);
  return (effects.find(({ type }) => type === 'qm2.send') as SendQm2).payloads;
}

test('the answer: our SPI in the chosen proposal, the identities as they came', () => {
  const payloads = answer(first);
  expect(payloads.map(({ kind }) => kind)).toEqual(['SA', 'NONCE', 'ID', 'ID', 'NAT-OA', 'NAT-OA', 'N']);
  expect(payloads[0]).toMatchObject({ proposals: [{ number: 2, spi: Uint8Array.of(0, 0x40, 0x20, 0) }] });
  expect(payloads.slice(2, 4)).toEqual([first.ids.initiator, first.ids.responder]);
});

test('RFC 2407 §4.6.3.1: RESPONDER-LIFETIME says what we keep to, only when that is shorter', () => {
  const notify = answer(first).at(-1) as NotificationPayload;
  expect(notify.notifyType).toBe(NOTIFY['RESPONDER-LIFETIME']);
  const attributes = parseAttributes(notify.data, 0);
  expect(attributes.ok && attributes.value.map(attributeNumber)).toEqual([1, 3600]);
  const asOffered = answer({ ...first, selection: { ...first.selection, shortened: false } });
  expect(asOffered.some(({ kind }) => kind === 'N')).toBe(false);
});

test('RFC 3947 §5.2: NAT-OA only with UDP-Encapsulated-Transport', () => {
  const plain = answer({ ...first, selection: { ...first.selection, encapsulation: 'none' } });
  expect(plain.some(({ kind }) => kind === 'NAT-OA')).toBe(false);
});
