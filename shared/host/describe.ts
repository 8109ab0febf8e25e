import type { SessionSummary } from '@culvert/contracts';
import type { Happening, SessionState, SessionStep } from '@culvert/kernel';
import type { Engine, Session } from './engine.ts';
import type { Vault } from './protocol.ts';

/** `timed.reqSent`, or `a.x|b.y` for parallel regions. */
export function statePath(value: unknown): string {
  if (typeof value === 'string') return value;
  const regions = Object.entries((value ?? {}) as Record<string, unknown>);
  return regions
    .map(([name, inner]) => {
      const below = statePath(inner);
      return below === '' ? name : `${name}.${below}`;
    })
    .join('|');
}

/** `lcp: timed.reqSent > opened, ipcp: - > starting`: only the machines whose state value changed. */
export function stateChange(before: SessionState, after: SessionState): string {
  const changes: string[] = [];
  for (const id of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const from = before[id];
    const to = after[id];
    if (from === to) continue;
    const [was, is] = [from, to].map((snapshot) =>
      snapshot === undefined ? '-' : statePath(snapshot.value),
    );
    if (was !== is) changes.push(`${id}: ${was} > ${is}`);
  }
  return changes.join(', ');
}

export function effectNames<E extends Happening>(outcome: SessionStep<E>): string {
  return outcome.effects.map(({ from, effect }) => `${from}:${effect.type}`).join(' ');
}

export function summarise<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): SessionSummary {
  return {
    session: session.session,
    service: engine.protocol.name,
    since: session.since,
    states: Object.fromEntries(
      Object.entries(session.state).map(([id, snapshot]) => [id, statePath(snapshot.value)]),
    ),
    facts: engine.protocol.summary(session),
    traceId: session.trace.split('-')[1] ?? '',
  };
}
