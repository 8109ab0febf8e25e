import {
  type ClassifyPolicy,
  callsOf,
  classify,
  type Heard,
  type L2tpBody,
  l2tpActors,
  type TunnelEvent,
  tunnelsOf,
} from '@culvert/actors-l2tp';
import { type Happening, kindOf, type SessionState } from '@culvert/kernel';
import type { MessageName } from '@culvert/wire/l2tp';
import type { Chance } from '../sim/chance.ts';
import { CONTROL_MESSAGES } from './l2tp-samples.ts';
import { pick, type Troupe } from './troupe.ts';

const REASONS = ['peer-closed', 'operator', 'peer-silent', 'session-ended', 'limit'] as const;
const POLICIES: readonly ClassifyPolicy[] = [false, true].map((authenticate) => ({
  tunnelsMax: 4,
  tunnel: {
    hostName: 'lns',
    vendorName: 'Culvert',
    authenticate,
    hideAvps: authenticate,
    receiveWindow: 8,
    helloIdleMs: 60_000,
    callsMax: 4,
    retransmitMs: 1_000,
    retransmitCapMs: 8_000,
    retransmitMax: 5,
  },
}));
const PEER_IDS = [7, 8, 9];

function heard(chance: Chance, state: SessionState): Heard {
  const { type, values: all } = pick(chance, CONTROL_MESSAGES);
  const { challenge, ...values } = all;
  const calls = callsOf(state).map(({ context }) => context.ours);
  const assigned = {
    ...values,
    ...(challenge !== undefined && chance.happens(0.5) && { challenge }),
    ...(values.assignedTunnelId !== undefined && { assignedTunnelId: pick(chance, PEER_IDS) }),
    ...(values.assignedSessionId !== undefined && { assignedSessionId: 70 + chance.below(6) }),
  };
  return {
    type: chance.happens(0.97) ? type : undefined,
    sessionId: calls.length > 0 && chance.happens(0.6) ? pick(chance, calls) : chance.below(3),
    values: assigned,
    proof: pick(chance, ['absent', 'right', 'right', 'wrong'] as const),
    ...(chance.happens(0.05) && { fault: { error: 2, text: 'bad length' } }),
    ...(chance.happens(0.5) && { response: chance.octets(16) }),
  };
}

/** In or near sequence for a tunnel that is there, or the first word of a new one. */
function control(chance: Chance, state: SessionState): L2tpBody {
  const tunnels = tunnelsOf(state);
  const tunnel = tunnels.length > 0 && chance.happens(0.9) ? pick(chance, tunnels) : undefined;
  const innerPorts = { local: 1701, remote: chance.happens(0.97) ? 1701 : 4000 };
  const base = { kind: 'control', innerPorts, callingStation: '198.51.100.7' } as const;
  const said = heard(chance, state);
  if (tunnel === undefined) {
    const first = pick(
      chance,
      CONTROL_MESSAGES.filter(({ type }) => type === 'SCCRQ'),
    );
    const values = { ...first.values, assignedTunnelId: pick(chance, PEER_IDS) };
    const header = { tunnelId: 0, sessionId: 0, ns: chance.happens(0.95) ? 0 : 3, nr: 0 };
    return { ...base, header, heard: { ...said, type: 'SCCRQ' as MessageName, values } };
  }
  const { delivery, localId } = tunnel.context;
  const near = (value: number, width: number) => (value + chance.below(width) - (width >> 2)) & 0xffff;
  const header = {
    tunnelId: localId,
    sessionId: said.sessionId,
    ns: chance.happens(0.8) ? delivery.nr : near(delivery.nr, 12),
    nr: chance.happens(0.7) ? delivery.ns : near(delivery.ns, 12),
  };
  return chance.happens(0.2) ? { ...base, header } : { ...base, header, heard: said };
}

function body(chance: Chance, state: SessionState): L2tpBody {
  const reason = pick(chance, REASONS);
  switch (chance.below(40)) {
    case 0:
      return { kind: 'close', reason };
    case 1:
      return { kind: 'ended', reason };
    case 2: {
      const calls = callsOf(state).map(({ context }) => context.ours);
      return { kind: 'disconnect', call: pick(chance, [...calls, 5]), reason, advice: 'goodbye' };
    }
    case 3: {
      const ids = tunnelsOf(state).map(({ id }) => id);
      const idle = chance.happens(0.3) ? {} : { idleMs: chance.below(120_000) };
      return { kind: 'activity', tunnel: pick(chance, [...ids, 'tunnel/1']), ...idle };
    }
    case 4:
      return { kind: 'restored' };
    default:
      return control(chance, state);
  }
}

/** All of its union but what adds calls without a machine: those come by messages. */
function tunnelEvent(chance: Chance, state: SessionState): Omit<TunnelEvent, 'at' | 'entropy'> {
  const said = heard(chance, state);
  const reason = pick(chance, REASONS);
  return pick<Happening & Record<string, unknown>>(chance, [
    { type: 'Packet', ns: chance.below(20), nr: chance.below(20), heard: said },
    { type: 'Packet', ns: chance.below(20), nr: chance.below(20) },
    { type: 'SCCRQ', heard: { ...said, type: 'SCCRQ' } },
    { type: 'SCCRP', heard: { ...said, type: 'SCCRP' } },
    { type: 'SCCCN', heard: { ...said, type: 'SCCCN' } },
    { type: 'StopCCN', heard: { ...said, type: 'StopCCN' } },
    { type: 'HELLO', heard: { ...said, type: 'HELLO' } },
    { type: 'CallMessage', heard: { ...said, type: pick(chance, ['ICRQ', 'ICCN', 'CDN', 'WEN', 'OCRQ']) } },
    { type: 'Fault', heard: said },
    { type: 'CallFault', heard: said },
    { type: 'CallOver', call: pick(chance, [...callsOf(state).map(({ context }) => context.ours), 3]) },
    { type: 'Close', reason },
    { type: 'SessionEnded', reason },
    { type: 'Restored' },
    { type: 'Activity', idleMs: chance.below(100_000) },
    { type: 'Activity' },
    ...[
      'TieLost',
      'Superseded',
      'GaveUp',
      'HelloUnanswered',
      'RetransmitTimeout',
      'AckTimeout',
      'IdleTimeout',
      'SetupTimeout',
      'EmptyTimeout',
      'CloseTimeout',
      'LingerTimeout',
    ].map((type) => ({ type })),
  ]) as Omit<TunnelEvent, 'at' | 'entropy'>;
}

function callEvent(chance: Chance, state: SessionState): Happening {
  const reason = pick(chance, REASONS);
  const messages = ['ICRQ', 'ICRP', 'ICCN', 'OCRQ', 'OCRP', 'OCCN', 'CDN', 'WEN', 'SLI', 'Fault'];
  return pick<Happening & Record<string, unknown>>(chance, [
    ...messages.map((type) => ({ type, heard: heard(chance, state) })),
    { type: 'LocalOpen' },
    { type: 'TunnelOpen', peerTunnel: 7 },
    { type: 'TunnelGone', reason },
    { type: 'Close', reason },
    { type: 'Disconnect', reason, advice: 'x'.repeat(chance.below(600)) },
    { type: 'SessionEnded', reason },
    { type: 'SetupTimeout' },
    { type: 'CloseTimeout' },
  ]);
}

/** The message that takes a tunnel, or a call of it, one state on; a ZLB when all are there. */
function next(chance: Chance, state: SessionState): L2tpBody | undefined {
  const innerPorts = { local: 1701, remote: 1701 };
  const base = { kind: 'control', innerPorts, callingStation: '198.51.100.7' } as const;
  const say = (type: MessageName, sessionId = 0, more: Heard['values'] = {}): Heard => {
    const sample = CONTROL_MESSAGES.find((message) => message.type === type);
    const { challenge: _, ...values } = sample?.values ?? {};
    return { type, sessionId, values: { ...values, ...more }, proof: 'right' };
  };
  const tunnel = tunnelsOf(state).find(({ value }) => value === 'waitCtlConn' || value === 'established');
  if (tunnel === undefined) {
    const header = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
    return { ...base, header, heard: say('SCCRQ', 0, { assignedTunnelId: pick(chance, PEER_IDS) }) };
  }
  const { localId, delivery } = tunnel.context;
  const header = { tunnelId: localId, sessionId: 0, ns: delivery.nr, nr: delivery.ns };
  if (tunnel.value === 'waitCtlConn') return { ...base, header, heard: say('SCCCN') };
  const waiting = callsOf(state).find(({ value }) => value === 'waitConnect');
  if (waiting !== undefined) {
    const { ours } = waiting.context;
    return { ...base, header: { ...header, sessionId: ours }, heard: say('ICCN', ours) };
  }
  if (chance.happens(0.3))
    return { ...base, header, heard: say('ICRQ', 0, { assignedSessionId: 100 + chance.below(9) }) };
  return chance.happens(0.5) ? { ...base, header } : undefined;
}

/** With and without tunnel authentication. */
export const l2tpTroupes: readonly Troupe[] = POLICIES.map((policy) => ({
  name: policy.tunnel.authenticate ? 'L2TP machines with a tunnel secret' : 'L2TP machines',
  actors: l2tpActors,
  fact: (chance, state, at) =>
    classify(policy, { at, entropy: chance.octets(32), body: body(chance, state) }, state),
  onward: (chance, state, at) =>
    classify(
      policy,
      { at, entropy: chance.octets(32), body: next(chance, state) ?? body(chance, state) },
      state,
    ),
  event: (chance, id, state) =>
    kindOf(id) === 'tunnel' ? tunnelEvent(chance, state) : callEvent(chance, state),
}));
