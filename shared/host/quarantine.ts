import type { Happening } from '@culvert/kernel';
import { summarise } from './describe.ts';
import { type Engine, Fenced, type Session, Stopped } from './engine.ts';
import type { Vault } from './protocol.ts';
import { keyOf, letGo } from './session.ts';
import { deleteRecord } from './store.ts';

/** Remembered so that a client that repeats what broke its session is not let in to do it again at once. */
const QUARANTINED_MAX = 1024;

/**
 * A fault of ours stopped this session: it ends here, its record and with it its forwarding entries go,
 * and the process lives on. The step that failed is never tried again.
 */
export function quarantine<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  error: unknown,
): void {
  if (session.phase === 'gone') return;
  const { telemetry } = engine.ports;
  telemetry.count('culvert.host.quarantined', { protocol: engine.protocol.name });
  telemetry.log.error({ error, summary: summary(engine, session) }, 'session stopped by a fault of ours');
  remember(engine.quarantined, session.session);
  for (const answer of session.owed.splice(0)) answer.taken({ taken: false, reason: 'no-session' });
  try {
    letGo(engine, session);
  } catch (again) {
    telemetry.log.error({ error: again, session: session.session }, 'closing a faulty session failed');
  }
  void erase(engine, session);
}

async function erase<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): Promise<void> {
  try {
    while (session.writing !== undefined) await session.writing;
    if (session.revision > 0) await deleteRecord(engine, keyOf(session), session.revision);
  } catch (error) {
    if (error instanceof Fenced || error instanceof Stopped) return;
    engine.ports.telemetry.log.error(
      { error, session: session.session },
      'the record of a faulty session stays',
    );
  }
}

/** The service's own summary may be what is broken. */
function summary<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): object {
  try {
    return summarise(engine, session);
  } catch {
    return { session: session.session, machines: Object.keys(session.state) };
  }
}

function remember(names: Set<string>, name: string): void {
  names.delete(name);
  names.add(name);
  const oldest = names.values().next().value;
  if (names.size > QUARANTINED_MAX && oldest !== undefined) names.delete(oldest);
}
