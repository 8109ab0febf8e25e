import type { L2tpDatagram, PppFrame, SessionId } from '@culvert/contracts';
import type { Instant } from '@culvert/kernel';
import { u16 } from '@culvert/wire';
import { UNCOMPRESSED } from '@culvert/wire/ppp';
import { applyDeclaration, type Declaration } from './apply.ts';
import { newAdmission } from './ike-admission.ts';
import * as limits from './limits.ts';
import { packetIn } from './open-in.ts';
import type { EngineCounters, EngineOptions, EnginePolicy, OuterPacket, SessionReport } from './ports.ts';
import { noDrops } from './reasons.ts';
import { newTables, type SessionRow } from './rows.ts';
import { grantSequence, inTransportMode, inTunnelMode, outboundSa, sendL2tp } from './seal-out.ts';
import { needsMore, wantSequence } from './sequence-out.ts';
import { drop, type EngineState } from './state.ts';
import { sendFrame, tunIn } from './user-out.ts';

/**
 * The data plane without any I/O: packets and declarations in, packets and events out through the sink,
 * time as an argument. One thread owns an engine.
 */
export interface Engine {
  /** A record's forwarding entries, in place of what that bucket declared for the session before. */
  declare(declaration: Declaration, at: Instant): void;
  /** Outbound sequence numbers [first, end) of an SA, durably reserved. */
  grant(
    grant: { readonly inboundSpi: number; readonly first: number; readonly end: number },
    at: Instant,
  ): void;
  outer(packet: OuterPacket, at: Instant): void;
  /** A packet from the tun; false when no link here has its destination. */
  inner(packet: Uint8Array, at: Instant): boolean;
  l2tp(datagram: Pick<L2tpDatagram, 'session' | 'innerPorts' | 'octets'>, at: Instant): void;
  ppp(frame: Pick<PppFrame, 'session' | 'call' | 'octets'>, at: Instant): void;
  setPolicy(policy: EnginePolicy): void;
  /** Lets go of what has waited too long. To be called a few times a second. */
  tick(at: Instant): void;
  /** Sessions that changed since the last call. */
  takeReports(at: Instant): readonly SessionReport[];
  report(session: SessionId, at: Instant): SessionReport | undefined;
  counters(): EngineCounters;
  /** Counts a packet without a route, once it is known that no other engine has one. */
  unrouted(): void;
}

export function createEngine(options: EngineOptions): Engine {
  const state: EngineState = {
    tables: newTables(options.past),
    sink: options.sink,
    ivs: options.ivs,
    options,
    policy: options.policy,
    drops: noDrops(),
    espIn: 0,
    espOut: 0,
    keepalives: 0,
    moves: 0,
    icvTruncated: 0,
    admission: newAdmission(),
  };
  const { tables } = state;
  return {
    declare(declaration, at) {
      applyDeclaration(tables, declaration, at, state.sink, options.replayWindow);
      wantAll(state, tables.sessions.get(declaration.session));
    },
    grant({ inboundSpi, first, end }, at) {
      const sa = tables.sas.get(inboundSpi);
      if (sa !== undefined) grantSequence(state, sa, first, end, at);
    },
    outer: (packet, at) => packetIn(state, packet, at),
    inner: (packet, at) => tunIn(state, packet, at),
    l2tp(datagram, at) {
      const session = tables.sessions.get(datagram.session);
      if (session === undefined) drop(state, 'no-session');
      else {
        const message = { octets: datagram.octets, tos: limits.CONTROL_TOS };
        sendL2tp(state, session, datagram.innerPorts, message, at);
      }
    },
    ppp(frame, at) {
      const session = tables.sessions.get(frame.session);
      const call = session?.calls.get(frame.call);
      if (call === undefined || frame.octets.length < 2) return drop(state, 'no-call', session);
      const bare = { protocol: u16(frame.octets), information: frame.octets.subarray(2) };
      sendFrame(state, call, { frame: bare, agreed: UNCOMPRESSED, tos: limits.CONTROL_TOS }, at);
    },
    setPolicy(policy) {
      state.policy = policy;
    },
    tick: (at) => tick(state, at),
    takeReports: (at) => takeReports(state, at),
    report(session, at) {
      const row = tables.sessions.get(session);
      return row && reportOf(row, at);
    },
    counters() {
      const { drops, espIn, espOut, keepalives, moves, icvTruncated } = state;
      return { drops, espIn, espOut, keepalives, moves, icvTruncated };
    },
    unrouted: () => drop(state, 'no-route'),
  };
}

/** Numbers are asked for when an SA appears, so that its first packet does not wait for them. */
function wantAll(state: EngineState, session: SessionRow | undefined) {
  for (const sa of session?.sas ?? []) {
    if (needsMore(sa)) wantSequence(state, sa);
  }
}

function tick(state: EngineState, at: Instant) {
  for (const sa of state.tables.sas.values()) {
    const { stalled } = sa.sequence;
    while (stalled[0] !== undefined && at - stalled[0].at > limits.STALLED_MS_MAX) {
      stalled.shift();
      drop(state, 'sequence-stalled', sa.session);
    }
  }
}

function takeReports(state: EngineState, at: Instant): readonly SessionReport[] {
  const reports: SessionReport[] = [];
  for (const row of state.tables.sessions.values()) {
    if (!row.touched) continue;
    row.touched = false;
    reports.push(reportOf(row, at));
  }
  return reports;
}

function reportOf(row: SessionRow, at: Instant): SessionReport {
  const sa = outboundSa(row, at, inTransportMode) ?? outboundSa(row, at, inTunnelMode);
  const endpoint = sa?.endpoint;
  const links = [...row.calls.values()].filter((call) => call.link !== undefined).length;
  return {
    session: row.session,
    ...(row.lastInboundAt !== undefined && { lastInboundAt: row.lastInboundAt }),
    ...(endpoint !== undefined && { endpoint }),
    octetsIn: row.octetsIn,
    octetsOut: row.octetsOut,
    packetsIn: row.packetsIn,
    packetsOut: row.packetsOut,
    accounting: row.accounting.slice(),
    drops: row.drops,
    sas: row.sas.length,
    links: links + (row.tunnelLink === undefined ? 0 : 1),
    windows: row.sas.map(({ entry: { inboundSpi, outboundSpi }, window: { top } }) => ({
      inboundSpi,
      outboundSpi,
      top,
    })),
  };
}
