import type { Bus } from '@culvert/bus';
import { type ServiceName, type ServiceStatus, type SessionSummary, subjects } from '@culvert/contracts';
import { CommandFailed } from './failure.ts';

/** In the order of a packet's way, in which their answers are kept. */
export const SERVICES: readonly ServiceName[] = ['edge', 'ike', 'l2tp', 'ppp', 'aaa'];
const WITH_SESSIONS: readonly ServiceName[] = ['edge', 'ike', 'l2tp', 'ppp'];

const ASK_MS = 2_000;

/** One session through all layers: the services' answers by id. */
export interface MergedSession {
  readonly session: string;
  readonly since: number;
  readonly traceId: string;
  readonly states: Readonly<Record<string, string>>;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly services: readonly ServiceName[];
  readonly ending?: string;
}

/** A service that does not answer is undefined. */
export async function statuses(bus: Bus): Promise<ReadonlyMap<ServiceName, ServiceStatus | undefined>> {
  const asked = SERVICES.map(
    async (name) => [name, await ask<ServiceStatus>(bus, subjects.admin.status(name))] as const,
  );
  return new Map(await Promise.all(asked));
}

export async function sessions(bus: Bus): Promise<readonly MergedSession[]> {
  const lists = await Promise.all(
    WITH_SESSIONS.map((name) => ask<readonly SessionSummary[]>(bus, subjects.admin.sessions(name))),
  );
  const byId = Map.groupBy(
    lists.flatMap((list) => list ?? []),
    ({ session }) => session,
  );
  return [...byId.values()].map(merged).toSorted((a, b) => a.since - b.since);
}

/** The session whose id begins with `given`, with all that its services tell of it. */
export async function sessionOf(bus: Bus, given: string): Promise<MergedSession> {
  const wanted = given.toLowerCase();
  const found = (await sessions(bus)).filter(({ session }) => session.startsWith(wanted));
  const [only, ...others] = found;
  if (only === undefined) {
    throw new CommandFailed({
      field: 'ID',
      value: given,
      problem: 'is no session',
      remedy: 'culvert sessions lists them',
    });
  }
  if (others.length > 0) {
    const ids = found.map(({ session }) => session).join(', ');
    throw new CommandFailed({
      field: 'ID',
      value: given,
      problem: 'begins several sessions',
      remedy: `write more of one of ${ids}`,
    });
  }
  const told = await Promise.all(
    WITH_SESSIONS.map((name) =>
      ask<SessionSummary | null>(bus, subjects.admin.session(name), { session: only.session }),
    ),
  );
  const summaries = told.filter((summary) => summary !== undefined && summary !== null);
  return summaries.length === 0 ? only : merged(summaries);
}

/** Whether every service says that it does not have the session; one that is silent says nothing. */
export async function hasGone(bus: Bus, session: string): Promise<boolean> {
  const told = await Promise.all(
    WITH_SESSIONS.map((name) => ask<SessionSummary | null>(bus, subjects.admin.session(name), { session })),
  );
  return told.every((summary) => summary === null);
}

function merged(summaries: readonly SessionSummary[]): MergedSession {
  const [first] = summaries;
  if (first === undefined) throw new Error('invariant: nothing to merge');
  const ending = summaries.map((summary) => summary.ending ?? summary.facts.ending).find(Boolean);
  return {
    session: first.session,
    since: Math.min(...summaries.map(({ since }) => since)),
    traceId: summaries.find(({ traceId }) => traceId !== '')?.traceId ?? '',
    states: Object.assign({}, ...summaries.map(({ states }) => states)),
    // Who stands nearer to the packets knows best: the edge sees where the client is by now.
    facts: Object.assign({}, ...summaries.toReversed().map(({ facts }) => facts)),
    services: summaries.map(({ service }) => service),
    ...(ending === undefined ? {} : { ending: String(ending) }),
  };
}

function ask<T>(bus: Bus, subject: string, payload: object = {}): Promise<T | undefined> {
  return bus.request<T>(subject, payload, { timeoutMs: ASK_MS }).catch(() => undefined);
}
