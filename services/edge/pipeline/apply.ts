import type { CallEntry, ForwardEntry, LinkEntry, SaEntry, SessionId } from '@culvert/contracts';
import { type Instant, InvariantViolation, invariant } from '@culvert/kernel';
import { equal } from '@culvert/wire';
import { ipv4Octets, isIpv4, parseAddress, parsePrefix, prefixOf } from '@culvert/wire/ip';
import { newWindow, prepareEsp } from '../esp/index.ts';
import { outerFlow, sameFlow } from './flow.ts';
import * as limits from './limits.ts';
import { blocksFrom, type Mark, recall, remember } from './past.ts';
import type { EngineSink } from './ports.ts';
import { addRoutes, removeRoutes } from './routes.ts';
import type { CallRow, LinkRow, SaRow, SessionRow, Tables } from './rows.ts';
import { fullBucket } from './token-bucket.ts';

/** What one record declares for a session; no entries when it is gone. */
export interface Declaration {
  readonly session: SessionId;
  readonly bucket: string;
  readonly entries: readonly ForwardEntry[];
}

/** Makes the tables match: what stays keeps its state, the order in which buckets speak does not matter. */
export function applyDeclaration(
  tables: Tables,
  declaration: Declaration,
  at: Instant,
  sink: EngineSink,
  replayWindow?: number,
): void {
  const row = tables.sessions.get(declaration.session) ?? newSession(declaration.session, at);
  if (declaration.entries.length === 0) row.declared.delete(declaration.bucket);
  else row.declared.set(declaration.bucket, declaration.entries);
  const wanted = [...row.declared.values()].flat();
  const trace = wanted.find((entry) => entry.trace !== '')?.trace;
  if (trace !== undefined) row.trace = trace;
  row.touched = true;
  const refuse = (why: string) => sink.event({ type: 'entry-refused', session: row.session, why });
  const of = <K extends ForwardEntry['kind']>(kind: K) =>
    wanted.filter((entry): entry is Extract<ForwardEntry, { kind: K }> => entry.kind === kind);
  reconcileSas(tables, row, of('sa'), refuse, replayWindow);
  reconcileCalls(tables, row, of('call'), at, refuse);
  reconcileLinks(tables, row, of('link'), refuse);
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
    drops: 0,
    touched: true,
    control: fullBucket(limits.L2TP_CONTROL_RATE, at),
    icmp: fullBucket(limits.ICMP_RATE, at),
    moves: fullBucket(limits.MOVE_RATE, at),
  };
}

/** One bad entry must not take the others with it. */
function attempt<T>(refuse: (why: string) => void, make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof InvariantViolation)) throw error;
    refuse(error.message);
    return undefined;
  }
}

function reconcileSas(
  tables: Tables,
  row: SessionRow,
  wanted: readonly SaEntry[],
  refuse: (why: string) => void,
  replayWindow: number | undefined,
): void {
  if (wanted.length > limits.SAS_PER_SESSION_MAX) refuse('too many SAs');
  const kept: SaRow[] = [];
  for (const entry of wanted.slice(0, limits.SAS_PER_SESSION_MAX)) {
    const present = tables.sas.get(entry.inboundSpi);
    if (present !== undefined && present.session === row && sameSa(present.entry, entry)) {
      const flow = outerFlow(entry.flow);
      // The client has floated to another port in IKE; what NAT rebinding showed since stays otherwise.
      if (!sameFlow(flow, outerFlow(present.entry.flow))) present.endpoint = flow;
      present.entry = entry;
      kept.push(present);
    } else if (present !== undefined && present.session !== row) {
      refuse('inbound SPI belongs to another session');
    } else {
      const made = attempt(refuse, () => newSa(row, entry, recall(tables, entry), replayWindow));
      if (made !== undefined) kept.push(made);
    }
  }
  for (const old of row.sas) {
    if (kept.includes(old)) continue;
    tables.sas.delete(old.entry.inboundSpi);
    remember(tables, old);
  }
  for (const sa of kept) tables.sas.set(sa.entry.inboundSpi, sa);
  row.sas = kept.toSorted((a, b) => b.entry.createdAt - a.entry.createdAt);
}

/** The same keys: the replay window and the sequence numbers may go on. */
function sameSa(a: SaEntry, b: SaEntry): boolean {
  return (
    a.outboundSpi === b.outboundSpi &&
    a.encryption === b.encryption &&
    a.integrity === b.integrity &&
    equal(a.inbound.encryption, b.inbound.encryption) &&
    equal(a.inbound.integrity, b.inbound.integrity) &&
    equal(a.outbound.encryption, b.outbound.encryption) &&
    equal(a.outbound.integrity, b.outbound.integrity)
  );
}

function newSa(
  session: SessionRow,
  entry: SaEntry,
  mark: Mark | undefined,
  replayWindow: number | undefined,
): SaRow {
  invariant(entry.encryption.startsWith('aes-gcm') || entry.integrity !== 'none', 'SA without integrity');
  return {
    session,
    entry,
    inbound: prepareEsp(entry.encryption, entry.integrity, entry.inbound),
    outbound: prepareEsp(entry.encryption, entry.integrity, entry.outbound),
    window: newWindow(replayWindow, mark?.top),
    endpoint: outerFlow(entry.flow),
    seen: false,
    sequence: blocksFrom(mark),
  };
}

function reconcileCalls(
  tables: Tables,
  row: SessionRow,
  wanted: readonly CallEntry[],
  at: Instant,
  refuse: (why: string) => void,
): void {
  if (wanted.length > limits.CALLS_PER_SESSION_MAX) refuse('too many calls');
  const calls = new Map<number, CallRow>();
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

function reconcileLinks(
  tables: Tables,
  row: SessionRow,
  wanted: readonly LinkEntry[],
  refuse: (why: string) => void,
): void {
  for (const call of row.calls.values()) {
    if (call.link !== undefined) removeRoutes(tables, call.link);
    delete call.link;
  }
  for (const entry of wanted) {
    // A link whose call is not there (yet) waits in `declared`.
    const call = row.calls.get(entry.call);
    if (call === undefined) continue;
    const link = attempt(refuse, () => newLink(call, entry));
    if (link === undefined) continue;
    if (call.link === undefined && addRoutes(tables, link)) call.link = link;
    else refuse('address or call is taken by another link');
  }
}

function newLink(call: CallRow, entry: LinkEntry): LinkRow {
  const ipv4 = entry.ipv4 && parseAddress(entry.ipv4.address);
  invariant(ipv4 === undefined || (ipv4.ok && isIpv4(ipv4.value)), 'link: not an IPv4 address');
  const ipv6 = entry.ipv6 && parsePrefix(entry.ipv6.prefix.split('/')[0] ?? '');
  invariant(ipv6 === undefined || ipv6.ok, 'link: not an IPv6 prefix');
  invariant(entry.ipv6 === undefined || entry.ipv6.prefixLength === 64, 'link: IPv6 prefix is not a /64');
  return {
    call,
    entry,
    ...(ipv4?.ok && { ipv4: ipv4Octets(ipv4.value) }),
    ...(ipv6?.ok && { ipv6: prefixOf(ipv6.value.address, 64) }),
  };
}
