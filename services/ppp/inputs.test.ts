import { actorId, pppActors } from '@culvert/actors-ppp';
import { createSealer, papPasswordPlace, Secret } from '@culvert/crypto';
import { type SessionState, start } from '@culvert/kernel';
import { concat, hex, toHex } from '@culvert/wire';
import { controlPacketOctets, emitAuthenticateRequest } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../shared/config/index.ts';
import { locate, opened, type PppInput } from './inputs.ts';
import { settingsOf } from './settings.ts';

const SESSION = '0040aaaabbbbcccc';
const config = parseConfig(
  `
node: gw1
psks: [{ name: main, secret: "q7Hx2LmN9vRtY4sWc8ZpKd3FgJ6bTn5E" }]
pool: { ipv4: 10.98.0.0/22, ipv6: "2001:db8:100::/48" }
ppp: { dns: [10.0.0.53, 10.0.0.54], dns6: ["2001:db8::53"], restartMs: 500 }
`,
  '/nonexistent',
);
const settings = settingsOf(config);
const sealer = createSealer({ current: new Secret(new Uint8Array(32).fill(7)), earlier: [] });
const auth = pppActors.auth;
if (auth === undefined) throw new Error('no auth machine');
const state: SessionState = { [actorId('auth', 5)]: start(auth, {}).snapshot };
const text = (value: string) => new TextEncoder().encode(value);

const packet = (protocol: string, octets: Uint8Array): PppInput => ({
  kind: 'packet',
  packet: { session: SESSION, call: 5, octets: concat(hex(protocol), octets) },
});
const open = (input: PppInput, within = state) =>
  opened(input, { session: SESSION, state: within }, settings, sealer);

describe('PAP', () => {
  const data = emitAuthenticateRequest({ peerId: text('alice'), password: text('correct horse') });
  const request = packet('c023', controlPacketOctets({ code: 1, identifier: 3, data }));

  test('the password is sealed for aaa, bound to the session', () => {
    const body = open(request);
    if (!('type' in body) || body.type !== 'pap.request') throw new Error('no request');
    expect(body).toMatchObject({ call: 5, identifier: 3, peerId: text('alice') });
    expect(toHex(body.sealedPassword)).not.toContain(toHex(text('correct')));
    expect(sealer.open(papPasswordPlace(SESSION), body.sealedPassword)).toEqual(text('correct horse'));
    expect(() => sealer.open(papPasswordPlace('0040ffffffffffff'), body.sealedPassword)).toThrow();
  });

  test('what is no request gets no further, whatever it holds', () => {
    const cut = controlPacketOctets({ code: 1, identifier: 3, data: data.subarray(0, data.length - 3) });
    expect(open(packet('c023', cut))).toEqual({ drop: 'malformed' });
    expect(open(packet('c023', data.subarray(0, 2)))).toEqual({ drop: 'malformed' });
    const ack = controlPacketOctets({ code: 2, identifier: 3, data });
    expect(open(packet('c023', ack))).toEqual({ drop: 'unexpected-verdict' });
    expect(open(request, {})).toEqual({ drop: 'wrong-phase' });
  });
});

test('other frames pass as they are, one without a protocol does not', () => {
  expect(open(packet('c021', hex('09010008 00000000')))).toMatchObject({
    type: 'frame',
    call: 5,
    protocol: 0xc021,
  });
  expect(open(packet('', hex('')))).toEqual({ drop: 'malformed' });
});

test('only link.start founds a session', () => {
  const asked = (type: 'link.start' | 'link.close' | 'link.stop'): PppInput => ({
    kind: 'request',
    requested: {
      id: 'x',
      session: SESSION,
      request: { type, call: 5, callingStation: '198.51.100.7', reason: 'operator' },
    },
  });
  expect(locate(asked('link.start'))).toEqual({ session: SESSION, create: true });
  for (const type of ['link.close', 'link.stop'] as const) expect(locate(asked(type)).create).toBe(false);
  expect(locate(packet('c021', hex('01010004'))).create).toBe(false);
  expect(open(asked('link.start'))).toMatchObject({ type: 'link.start', call: 5, settings });
  expect(open(asked('link.stop'))).toEqual({ type: 'link.stop', call: 5, reason: 'operator' });
});

test('the configuration, as machines read it', () => {
  expect(settings).toMatchObject({
    mru: 1400,
    families: [4, 6],
    dns: [hex('0a000035'), hex('0a000036')],
    dns6: [hex('20010db8000000000000000000000053')],
    automaton: { restartMs: 500, restartInitialMs: 500, maxConfigure: 10, maxTerminate: 2, maxFailure: 5 },
    authenticateMs: 60_000,
    echo: { intervalMs: 30_000, failures: 4 },
  });
});
