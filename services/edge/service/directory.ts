import type { ForwardEntry, SaEntry, SessionSummary } from '@culvert/contracts';
import { formatAddress } from '@culvert/wire/ip';
import type { Declaration, SessionReport } from '../pipeline/index.ts';
import { type Sa, sequenceKey } from './sequences.ts';
import { trafficFacts } from './traffic.ts';

/** What the service remembers of a session beside the plane: no keys. */
interface Known {
  readonly since: number;
  trace: string;
  readonly sas: Map<string, readonly Sa[]>;
  readonly facts: Map<string, Readonly<Record<string, string | number | boolean>>>;
  report?: SessionReport;
}

export interface Directory {
  /** Answers the SAs that this declaration took away. */
  declared(declaration: Declaration, at: number): readonly Sa[];
  reported(reports: readonly SessionReport[]): void;
  trace(session: string): string | undefined;
  has(session: string): boolean;
  /** When it last received anything through ESP, or when we came to know it; undefined without an SA. */
  activeAt(session: string): number | undefined;
  /** The SA as a record declares it, if one still does: a worker may speak of an SA that is gone. */
  served(sa: Sa): Sa | undefined;
  sequenceKeys(): ReadonlySet<string>;
  summary(session: string): SessionSummary | undefined;
  summaries(): readonly SessionSummary[];
  readonly size: number;
}

export function createDirectory(): Directory {
  const sessions = new Map<string, Known>();
  return {
    declared(declaration, at) {
      const { session, bucket, entries } = declaration;
      const known: Known = sessions.get(session) ?? {
        since: at,
        trace: '',
        sas: new Map(),
        facts: new Map(),
      };
      const before = known.sas.get(bucket) ?? [];
      const now = entries.filter((entry): entry is SaEntry => entry.kind === 'sa').map(saOf);
      known.trace = entries.find((entry) => entry.trace !== '')?.trace ?? known.trace;
      if (entries.length === 0) {
        known.sas.delete(bucket);
        known.facts.delete(bucket);
      } else {
        known.sas.set(bucket, now);
        known.facts.set(bucket, factsOf(entries));
      }
      if (known.facts.size === 0) sessions.delete(session);
      else sessions.set(session, known);
      const kept = new Set([...known.sas.values()].flat().map((sa) => sequenceKey(sa)));
      return before.filter((sa) => !kept.has(sequenceKey(sa)));
    },
    reported(reports) {
      for (const report of reports) {
        const known = sessions.get(report.session);
        if (known !== undefined) known.report = report;
      }
    },
    trace: (session) => sessions.get(session)?.trace || undefined,
    has: (session) => sessions.has(session),
    activeAt(session) {
      const known = sessions.get(session);
      if (known === undefined || [...known.sas.values()].every((sas) => sas.length === 0)) return undefined;
      return known.report?.lastInboundAt ?? known.since;
    },
    served: (sa) =>
      [...(sessions.get(sa.session)?.sas.values() ?? [])]
        .flat()
        .find((one) => sequenceKey(one) === sequenceKey(sa)),
    sequenceKeys: () =>
      new Set([...sessions.values()].flatMap((known) => [...known.sas.values()].flat().map(sequenceKey))),
    summary: (session) => summaryOf(session, sessions.get(session)),
    summaries: () =>
      [...sessions].map(([session, known]) => summaryOf(session, known)).filter((one) => one !== undefined),
    get size() {
      return sessions.size;
    },
  };
}

function saOf(entry: SaEntry): Sa {
  const { session, inboundSpi, outboundSpi, esn } = entry;
  return { session, inboundSpi, outboundSpi, ...(esn !== undefined && { esn }) };
}

function factsOf(entries: readonly ForwardEntry[]): Readonly<Record<string, string | number | boolean>> {
  const facts: Record<string, string | number | boolean> = {};
  for (const entry of entries) {
    if (entry.kind === 'sa') {
      facts.suite = entry.integrity === 'none' ? entry.encryption : `${entry.encryption} ${entry.integrity}`;
      facts.encapsulation = entry.encapsulation;
      facts.peer = `${entry.flow.remote.address}:${entry.flow.remote.port}`;
    } else if (entry.kind === 'link') {
      facts.user = entry.user;
      if (entry.ipv4 !== undefined) facts.ipv4 = entry.ipv4.address;
      if (entry.ipv6 !== undefined)
        facts.ipv6 = `${entry.ipv6.prefix.split('/')[0]}/${entry.ipv6.prefixLength}`;
    } else facts.calls = Number(facts.calls ?? 0) + 1;
  }
  return facts;
}

function summaryOf(session: string, known: Known | undefined): SessionSummary | undefined {
  if (known === undefined) return undefined;
  const { report } = known;
  const facts: Record<string, string | number | boolean> = Object.assign({}, ...known.facts.values());
  if (report !== undefined) {
    const { sas, links, octetsIn, octetsOut, packetsIn, packetsOut, drops, endpoint, lastInboundAt } = report;
    Object.assign(facts, { sas, links, octetsIn, octetsOut, packetsIn, packetsOut, drops });
    Object.assign(facts, trafficFacts(report.accounting));
    if (endpoint !== undefined) facts.peer = `${formatAddress(endpoint.remote)}:${endpoint.remotePort}`;
    if (lastInboundAt !== undefined) facts.lastInboundAt = lastInboundAt;
  }
  return {
    session,
    service: 'edge',
    since: known.since,
    states: {},
    facts,
    traceId: known.trace.split('-')[1] ?? known.trace,
  };
}
