import type { CallEntry, EspKeys, ForwardEntry, SaEntry, SessionId } from '@culvert/contracts';
import type { Instant } from '@culvert/kernel';
import { equal } from '@culvert/wire';
import { newWindow, prepareEsp, truncated } from '../esp/index.ts';
import { newAccounting } from './accounting.ts';
import { reconcileLinks } from './apply-links.ts';
import { judged, type Kept } from './entry-checks.ts';
import { outerFlow, sameFlow } from './flow.ts';
import * as limits from './limits.ts';
import { blocksFrom, type Mark, recall, remember } from './past.ts';
import type { EngineSink } from './ports.ts';
import { removeRoutes } from './routes.ts';
import type { SaRow, SessionRow, Tables } from './rows.ts';
import { selectorOf } from './selectors.ts';
import { fullBucket } from './token-bucket.ts';

/** What one record declares for a session; no entries when it is gone. */
export interface Declaration {
  readonly session: SessionId;
  readonly bucket: string;
  readonly entries: readonly ForwardEntry[];
}

/**
 * Makes the tables match: what stays keeps its state, the order in which buckets speak does not matter. One bad
 * entry does not take the others with it, nor the row that it was to change.
 */
export function applyDeclaration(
  tables: Tables,
  declaration: Declaration,
  at: Instant,
  sink: EngineSink,
  replayWindow?: number,
): void {
  const row = tables.sessions.get(declaration.session) ?? newSession(declaration.session, at);
  const refuse = (why: string) => sink.event({ type: 'entry-refused', session: row.session, why });
  const verdict = judged(declaration.entries);
  for (const why of verdict.refusals) refuse(why);
  if (declaration.entries.length === 0) row.declared.delete(declaration.bucket);
  else row.declared.set(declaration.bucket, verdict);
  const wanted = [...row.declared.values()].flatMap(({ entries }) => entries);
  const trace = wanted.find((entry) => entry.trace !== '')?.trace;
  if (trace !== undefined) row.trace = trace;
  row.touched = true;
  const kept = (kind: keyof Kept) =>
    new Set([...row.declared.values()].flatMap((one) => [...one.kept[kind]]));
  const of = <K extends ForwardEntry['kind']>(kind: K) =>
    wanted.filter((entry): entry is Extract<ForwardEntry, { kind: K }> => entry.kind === kind);
  reconcileSas(tables, row, { wanted: of('sa'), kept: kept('sas') }, refuse, replayWindow);
  reconcileCalls(tables, row, { wanted: of('call'), kept: kept('calls') }, refuse, at);
  reconcileLinks(tables, row, { wanted: of('link'), kept: kept('links') }, refuse, at);
  if (row.declared.size === 0) tables.sessions.delete(row.session);
  else tables.sessions.set(row.session, row);
}

function newSession(session: SessionId, at: Instant): SessionRow {
  return {
    session,
    declared: new Map(),
    trace: '',
    sas: [],
    calls: new Map(),
    octetsIn: 0,
    octetsOut: 0,
    packetsIn: 0,
    packetsOut: 0,
    accounting: newAccounting(),
    drops: 0,
    touched: true,
    control: fullBucket(limits.L2TP_CONTROL_RATE, at),
    icmp: fullBucket(limits.ICMP_RATE, at),
    moves: fullBucket(limits.MOVE_RATE, at),
  };
}

/** Entries of one kind, and the numbers of rows that stay as they are. */
export interface Wanted<T> {
  readonly wanted: readonly T[];
  readonly kept: ReadonlySet<number>;
}

function reconcileSas(
  tables: Tables,
  row: SessionRow,
  { wanted, kept: stay }: Wanted<SaEntry>,
  refuse: (why: string) => void,
  replayWindow: number | undefined,
): void {
  if (wanted.length > limits.SAS_PER_SESSION_MAX) refuse('too many SAs');
  const kept = new Set(row.sas.filter(({ entry }) => stay.has(entry.inboundSpi)));
  for (const entry of wanted.slice(0, limits.SAS_PER_SESSION_MAX)) {
    const present = tables.sas.get(entry.inboundSpi);
    if (present !== undefined && present.session !== row) {
      refuse('inbound SPI belongs to another session');
    } else if (present === undefined || !sameKeys(present.entry, entry)) {
      kept.add(newSa(row, entry, recall(tables, entry), replayWindow));
    } else {
      kept.add(present);
      if (sameMode(present.entry, entry)) renew(present, entry);
      else refuse('SA changes its mode under the same keys');
    }
  }
  for (const old of row.sas) {
    if (kept.has(old)) continue;
    tables.sas.delete(old.entry.inboundSpi);
    remember(tables, old);
  }
  for (const sa of kept) tables.sas.set(sa.entry.inboundSpi, sa);
  row.sas = [...kept].toSorted((a, b) => b.entry.createdAt - a.entry.createdAt);
}

/** The replay window and the sequence numbers may go on; and must, or an IV would come again (INV-3). */
function sameKeys(a: SaEntry, b: SaEntry): boolean {
  return (
    a.outboundSpi === b.outboundSpi &&
    a.encryption === b.encryption &&
    a.integrity === b.integrity &&
    sameOctets(a.inbound, b.inbound) &&
    sameOctets(a.outbound, b.outbound)
  );
}

function sameOctets(a: EspKeys, b: EspKeys): boolean {
  return equal(a.encryption, b.encryption) && equal(a.integrity, b.integrity) && equal(a.salt, b.salt);
}

function sameMode(a: SaEntry, b: SaEntry): boolean {
  return (a.esn ?? false) === (b.esn ?? false) && (a.tunnel === undefined) === (b.tunnel === undefined);
}

function renew(row: SaRow, entry: SaEntry): void {
  const flow = outerFlow(entry.flow);
  // The client has floated to another port in IKE; what NAT rebinding showed since stays otherwise.
  if (!sameFlow(flow, outerFlow(row.entry.flow))) row.endpoint = flow;
  row.entry = entry;
  setSelectors(row);
}

function newSa(
  session: SessionRow,
  entry: SaEntry,
  mark: Mark | undefined,
  replayWindow: number | undefined,
): SaRow {
  const { encryption, integrity, esn } = entry;
  const inbound = prepareEsp(encryption, integrity, entry.inbound, esn);
  const row: SaRow = {
    session,
    entry,
    inbound,
    outbound: prepareEsp(encryption, integrity, entry.outbound, esn),
    icvUndecided: truncated(inbound) !== undefined,
    window: newWindow(replayWindow, mark?.top),
    endpoint: outerFlow(entry.flow),
    seen: false,
    sequence: blocksFrom(mark),
  };
  setSelectors(row);
  return row;
}

/** They may change while the keys stay. */
function setSelectors(row: SaRow): void {
  const { tunnel } = row.entry;
  if (tunnel === undefined) return;
  row.tunnel = { local: tunnel.local.map(selectorOf), remote: tunnel.remote.map(selectorOf) };
}

function reconcileCalls(
  tables: Tables,
  row: SessionRow,
  { wanted, kept }: Wanted<CallEntry>,
  refuse: (why: string) => void,
  at: Instant,
): void {
  if (wanted.length > limits.CALLS_PER_SESSION_MAX) refuse('too many calls');
  const calls = new Map([...row.calls].filter(([id]) => kept.has(id)));
  for (const entry of wanted.slice(0, limits.CALLS_PER_SESSION_MAX)) {
    const present = row.calls.get(entry.ours.call);
    const same =
      present?.entry.ours.tunnel === entry.ours.tunnel &&
      present.entry.theirs.tunnel === entry.theirs.tunnel &&
      present.entry.theirs.call === entry.theirs.call;
    if (same) {
      present.entry = entry;
      calls.set(entry.ours.call, present);
    } else {
      const control = fullBucket(limits.PPP_CONTROL_RATE, at);
      const linkLocal = fullBucket(limits.LINK_LOCAL_RATE, at);
      calls.set(entry.ours.call, { session: row, entry, nsOut: 0, control, linkLocal });
    }
  }
  for (const [id, old] of row.calls) {
    if (calls.get(id) !== old && old.link !== undefined) removeRoutes(tables, old.link);
  }
  row.calls = calls;
}
