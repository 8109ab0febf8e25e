import type { Delivery, EntropySeed, Instant, SessionState } from '@culvert/kernel';
import { kindOf } from '@culvert/kernel';
import type { ControlHeader } from '@culvert/wire/l2tp';
import type { CallContext } from './call/context.ts';
import { freshTunnelId } from './identifiers.ts';
import { RETRANSMISSION_CYCLE_MS, TUNNELS_MAX } from './limits.ts';
import type { Heard, InnerPorts } from './messages.ts';
import type { EndReason } from './reasons.ts';
import {
  callActor,
  type TunnelContext,
  type TunnelInput,
  type TunnelPolicy,
  tunnelActor,
} from './tunnel/context.ts';
import { tieBreak } from './tunnel/control.ts';
import { type Telling, tell } from './turn.ts';

/** What can happen to the L2TP part of a session, as it is journaled. */
export type L2tpBody =
  | {
      readonly kind: 'control';
      readonly innerPorts: InnerPorts;
      /** The client's outer address. */
      readonly callingStation: string;
      readonly header: ControlHeader;
      /** Absent in a ZLB. */
      readonly heard?: Heard;
    }
  | { readonly kind: 'close'; readonly reason: EndReason }
  | { readonly kind: 'ended'; readonly reason: EndReason }
  | {
      readonly kind: 'disconnect';
      readonly call: number;
      readonly reason: EndReason;
      readonly advice: string;
    }
  | { readonly kind: 'activity'; readonly tunnel: string; readonly idleMs?: number }
  | { readonly kind: 'restored' };

export interface L2tpFact {
  readonly at: Instant;
  readonly entropy: EntropySeed;
  readonly body: L2tpBody;
}

type Control = Extract<L2tpBody, { kind: 'control' }>;

export interface ClassifyPolicy {
  readonly tunnel: TunnelPolicy;
  readonly tunnelsMax: number;
}

/** Which machines of the session hear of a fact, and as what. */
export function classify(
  policy: ClassifyPolicy,
  fact: L2tpFact,
  state: SessionState,
): readonly Delivery[] | { readonly drop: string } {
  const { body } = fact;
  switch (body.kind) {
    case 'control':
      return ofControl(policy, fact, body, state);
    case 'close':
      return toAll(state, ['tunnel'], { type: 'Close', reason: body.reason });
    case 'ended':
      // The calls first, while PPP can still be told.
      return toAll(state, ['call', 'tunnel'], { type: 'SessionEnded', reason: body.reason });
    case 'disconnect': {
      const to = callActor(body.call);
      if (state[to] === undefined) return { drop: 'no-call' };
      const { reason, advice } = body;
      return [tell(to, { type: 'Disconnect', reason, advice })];
    }
    case 'activity': {
      const { tunnel, idleMs } = body;
      return [tell(tunnel, { type: 'Activity', ...(idleMs === undefined ? {} : { idleMs }) })];
    }
    case 'restored':
      return toAll(state, ['tunnel'], { type: 'Restored' });
  }
}

function toAll(state: SessionState, kinds: readonly string[], event: Telling): readonly Delivery[] {
  const of = (kind: string) => Object.keys(state).filter((id) => kindOf(id) === kind);
  return kinds.flatMap((kind) => of(kind).map((id) => tell(id, event)));
}

interface Tunnel {
  readonly id: string;
  readonly value: string;
  readonly context: TunnelContext;
}

export function tunnelsOf(state: SessionState): readonly Tunnel[] {
  return Object.entries(state)
    .filter(([id]) => kindOf(id) === 'tunnel')
    .map(([id, snapshot]) => ({
      id,
      value: topState(snapshot.value),
      context: snapshot.context as TunnelContext,
    }));
}

export interface Call {
  readonly id: string;
  readonly value: string;
  readonly context: CallContext;
}

export function callsOf(state: SessionState): readonly Call[] {
  return Object.entries(state)
    .filter(([id]) => kindOf(id) === 'call')
    .map(([id, snapshot]) => ({
      id,
      value: topState(snapshot.value),
      context: snapshot.context as CallContext,
    }));
}

function topState(value: unknown): string {
  return typeof value === 'string' ? value : (Object.keys(value as object)[0] ?? '');
}

function ofControl(
  policy: ClassifyPolicy,
  fact: L2tpFact,
  body: Control,
  state: SessionState,
): readonly Delivery[] | { readonly drop: string } {
  const tunnels = tunnelsOf(state);
  if (body.header.tunnelId !== 0) {
    const tunnel = tunnels.find(({ context }) => context.localId === body.header.tunnelId);
    if (tunnel === undefined) return { drop: 'unknown-tunnel' };
    const { local, remote } = tunnel.context.innerPorts;
    // RFC 2661 §8.1: they remain static for the life of the tunnel.
    if (local !== body.innerPorts.local || remote !== body.innerPorts.remote) return { drop: 'wrong-ports' };
    return [packet(tunnel.id, body)];
  }
  const assigned = body.heard?.values.assignedTunnelId;
  if (body.heard === undefined || assigned === undefined) return { drop: 'no-tunnel-id' };
  const same = tunnels.filter(({ context }) => context.peerId === assigned);
  if (body.heard.type === 'SCCRQ') return ofSccrq(policy, fact, body, tunnels, same);
  // §4.4.3: StopCCN names the tunnel also before the peer has heard our Tunnel ID.
  const named = same.at(-1);
  return named === undefined ? { drop: 'unknown-tunnel' } : [packet(named.id, body)];
}

function packet(to: string, { header, heard }: Control): Delivery {
  const { ns, nr } = header;
  return tell(to, { type: 'Packet', ns, nr, ...(heard === undefined ? {} : { heard }) });
}

/**
 * An SCCRQ founds a tunnel, unless it is a duplicate of the one that founded `same`. A peer that begins
 * again with the same Tunnel ID has forgotten the old tunnel; it goes without a word, since the word would
 * reach the new one.
 */
function ofSccrq(
  policy: ClassifyPolicy,
  fact: L2tpFact,
  body: Control,
  tunnels: readonly Tunnel[],
  same: readonly Tunnel[],
): readonly Delivery[] | { readonly drop: string } {
  const fresh = ({ value, context }: Tunnel) =>
    value === 'waitCtlConn' ||
    (value === 'established' && fact.at - (context.openedAt ?? 0) < RETRANSMISSION_CYCLE_MS);
  const first = same.find(fresh);
  if (first !== undefined) return [packet(first.id, body)];
  // §5.8: both begin at zero. Otherwise the new tunnel would wait for what never comes.
  if (body.header.ns !== 0 || body.header.nr !== 0) return { drop: 'bad-ns' };
  const waiting = tunnels.find(({ value }) => value === 'waitCtlReply');
  const tie =
    waiting === undefined ? 'none' : tieBreak(waiting.context.tieBreaker, body.heard?.values.tieBreaker);
  if (tie === 'won') return { drop: 'tie-won' };
  const old = [...same, ...(waiting === undefined || tie === 'none' ? [] : [waiting])];
  const over = old.map(({ id }) => tell(id, { type: id === waiting?.id ? 'TieLost' : 'Superseded' }));
  if (tie === 'both-lost') return over;
  const staying = tunnels.filter((tunnel) => !old.includes(tunnel));
  const live = staying.filter(({ value }) => value !== 'stopping' && value !== 'lingering');
  const crowded = live.length < policy.tunnelsMax ? undefined : forgotten(live, fact.at);
  const kept = staying.filter((tunnel) => tunnel !== crowded);
  const slot = freeSlot(kept);
  if ((live.length >= policy.tunnelsMax && crowded === undefined) || slot === undefined)
    return { drop: 'tunnel-limit' };
  const localId = freshTunnelId(fact.entropy, (id) => tunnels.some(({ context }) => context.localId === id));
  const { innerPorts, callingStation } = body;
  const input: TunnelInput = { localId, slot, peerId: 0, innerPorts, callingStation, policy: policy.tunnel };
  const id = tunnelActor(localId);
  const room = crowded === undefined ? [] : [tell(crowded.id, { type: 'Superseded' })];
  return [...over, ...room, { type: 'beget', id, input }, packet(id, body)];
}

/**
 * Which of too many tunnels gives way. A client that crashes and comes back joins its session again with a
 * new tunnel, and what it sends there looks like life in the old ones: the oldest is the one it has
 * forgotten first. One that has just been opened is meant.
 */
function forgotten(tunnels: readonly Tunnel[], at: Instant): Tunnel | undefined {
  const openedAt = ({ value, context }: Tunnel) =>
    value === 'established' ? (context.openedAt ?? at) : Number.POSITIVE_INFINITY;
  const [oldest] = tunnels.toSorted((a, b) => openedAt(a) - openedAt(b));
  return oldest !== undefined && at - openedAt(oldest) >= RETRANSMISSION_CYCLE_MS ? oldest : undefined;
}

/** Tunnels that only linger hold theirs too, which bounds how many there can be. */
function freeSlot(tunnels: readonly Tunnel[]): number | undefined {
  for (let slot = 0; slot < TUNNELS_MAX; slot += 1) {
    if (!tunnels.some(({ context }) => context.slot === slot)) return slot;
  }
  return undefined;
}
