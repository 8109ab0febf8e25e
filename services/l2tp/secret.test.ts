import {
  type ControlDatagram,
  classify,
  type L2tpEffect,
  l2tpActors,
  type TunnelPolicy,
} from '@culvert/actors-l2tp';
import { Secret, tunnelAuthResponse } from '@culvert/crypto';
import { type SessionState, stepSession } from '@culvert/kernel';
import { emitControlMessage, parseControlMessage } from '@culvert/wire/l2tp';
import { describe, expect, test } from 'vitest';
import { durability } from './durability.ts';
import { type L2tpInput, locate, opened } from './inputs.ts';
import { sealed } from './seal.ts';

const SECRET = Secret.fromText('a shared secret of the tunnel');
const SESSION = 'abcd0123456789ef';
const FLOW = {
  local: { address: '192.0.2.1', port: 4500 },
  remote: { address: '198.51.100.7', port: 61_000 },
};
const PORTS = { local: 1701, remote: 1701 };
const POLICY: TunnelPolicy = {
  hostName: 'lns',
  vendorName: 'Culvert',
  authenticate: true,
  hideAvps: true,
  receiveWindow: 4,
  helloIdleMs: 60_000,
  callsMax: 2,
  retransmitMs: 1_000,
  retransmitCapMs: 8_000,
  retransmitMax: 5,
};
const CHALLENGE = new Uint8Array(16).fill(7);

const packet = (octets: Uint8Array): L2tpInput => ({
  kind: 'packet',
  packet: { session: SESSION, spi: 1, flow: FLOW, innerPorts: PORTS, octets },
});
const sccrq = emitControlMessage(
  { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 },
  {
    type: 'SCCRQ',
    values: {
      protocolVersion: { version: 1, revision: 0 },
      framingCapabilities: 3,
      hostName: 'lac',
      assignedTunnelId: 9,
      challenge: CHALLENGE,
    },
  },
);

function stepped(state: SessionState, octets: Uint8Array, secret: Secret | 'none' = SECRET) {
  const body = opened(packet(octets), state, secret === 'none' ? undefined : secret);
  if ('drop' in body) throw new Error(body.drop);
  const stamp = { at: 1_000, entropy: new Uint8Array(32).fill(3) };
  const deliveries = classify({ tunnel: POLICY, tunnelsMax: 4 }, { ...stamp, body }, state);
  if ('drop' in deliveries) throw new Error(deliveries.drop);
  const outcome = stepSession<L2tpEffect>(l2tpActors, state, deliveries, stamp);
  const said = outcome.effects.flatMap(({ effect }) => (effect.type === 'control.transmit' ? [effect] : []));
  return { state: outcome.state, said: said as readonly ControlDatagram[] };
}

/** What the client reads of it, with the same secret. */
function read(octets: Uint8Array, secret: Secret) {
  const body = opened(packet(octets), {}, secret);
  if ('drop' in body || body.kind !== 'control' || body.heard === undefined) throw new Error('unreadable');
  return body.heard;
}

function answered(state: SessionState, said: readonly ControlDatagram[], secret: Secret) {
  const sccrp = read(sealed(said[0] as ControlDatagram, SECRET).octets, SECRET);
  const { challenge = new Uint8Array(), assignedTunnelId = 0 } = sccrp.values;
  const values = { challengeResponse: tunnelAuthResponse(3, secret, challenge) };
  const octets = emitControlMessage(
    { tunnelId: assignedTunnelId, sessionId: 0, ns: 1, nr: 1 },
    { type: 'SCCCN', values },
  );
  return stepped(state, octets);
}

describe('the tunnel secret', () => {
  test('RFC 2661 §4.3: what we hide can be read with it, and not without', () => {
    const { said } = stepped({}, sccrq);
    const { octets } = sealed(said[0] as ControlDatagram, SECRET);
    const { values, fault } = read(octets, SECRET);
    expect(fault).toBeUndefined();
    expect(values.vendorName).toBe('Culvert');
    expect(values.challengeResponse).toEqual(tunnelAuthResponse(2, SECRET, CHALLENGE));
    const blind = parseControlMessage(octets);
    expect(blind.ok && blind.value.body?.fault?.text).toContain('cannot be revealed');
    expect(new TextDecoder('latin1').decode(octets)).not.toContain('Culvert');
  });

  test('§5.1.1: the right response opens the tunnel, a wrong one stops it with result 4', () => {
    const begun = stepped({}, sccrq);
    const right = answered(begun.state, begun.said, SECRET);
    expect(JSON.stringify(Object.values(right.state).map(({ value }) => value))).toBe(
      '[{"established":"open"}]',
    );
    const wrong = answered(begun.state, begun.said, Secret.fromText('guess'));
    expect(wrong.said[0]?.message?.values.resultCode).toEqual({ result: 4 });
  });

  test('a challenge is not answered when there is no secret', () => {
    const { said } = stepped({}, sccrq, 'none');
    expect(said[0]?.message).toMatchObject({ type: 'StopCCN', values: { resultCode: { result: 4 } } });
  });

  test('it is in no context and no effect', () => {
    const { state, said } = stepped({}, sccrq);
    const text = JSON.stringify([Object.values(state).map(({ context }) => context), said]);
    expect(text).not.toContain(JSON.stringify([...SECRET.expose()]).slice(1, -1));
    expect(text).not.toContain('a shared secret');
  });
});

describe('where an input belongs', () => {
  test('only an SCCRQ without a Tunnel ID founds a session', () => {
    expect(locate(packet(sccrq))).toEqual({ session: SESSION, create: true });
    const elsewhere = sccrq.slice();
    elsewhere[5] = 1;
    expect(locate(packet(elsewhere))).toEqual({ session: SESSION, create: false });
    for (let length = 0; length < 20; length += 1) {
      expect(locate(packet(sccrq.subarray(0, length)))).toEqual({ session: SESSION, create: false });
    }
    const hello = emitControlMessage(
      { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 },
      { type: 'HELLO', values: {} },
    );
    expect(locate(packet(hello))).toEqual({ session: SESSION, create: false });
  });
});

describe('durability', () => {
  test('nothing before the first call, then calls at once and sequence numbers lazily', () => {
    const begun = stepped({}, sccrq);
    expect(durability({}, begun.state)).toBe('none');
    const open = answered(begun.state, begun.said, SECRET);
    expect(durability(begun.state, open.state)).toBe('none');
    const tunnelId = Number(Object.keys(open.state)[0]?.split('/')[1]);
    const icrq = emitControlMessage(
      { tunnelId, sessionId: 0, ns: 2, nr: 1 },
      { type: 'ICRQ', values: { assignedSessionId: 5, callSerialNumber: 1 } },
    );
    const called = stepped(open.state, icrq);
    expect(durability(open.state, called.state)).toBe('now');
    const hello = emitControlMessage({ tunnelId, sessionId: 0, ns: 3, nr: 2 }, { type: 'HELLO', values: {} });
    const greeted = stepped(called.state, hello);
    expect(durability(called.state, greeted.state)).toBe('lazy');
    expect(durability(greeted.state, stepped(greeted.state, hello).state)).toBe('none');
    const values = { resultCode: { result: 1 }, assignedTunnelId: 9 };
    const stop = emitControlMessage({ tunnelId, sessionId: 0, ns: 4, nr: 2 }, { type: 'StopCCN', values });
    expect(durability(greeted.state, stepped(greeted.state, stop).state)).toBe('now');
  });
});
