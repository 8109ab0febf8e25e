import type { Happening } from '@culvert/kernel';
import { drop, type Effort, type Engine, type Session } from './engine.ts';
import { performing, present } from './outbox.ts';
import type { Performer, Vault } from './protocol.ts';
import { quarantine } from './quarantine.ts';

/** An effect of the present step, ready to be performed after its checkpoint. */
export interface Planned<I, E, V extends Vault> {
  readonly id: string;
  readonly from: string;
  readonly effect: E;
  readonly performer: Performer<E, I, V>;
  /** What a peer effect was sealed to. */
  readonly sealed?: unknown;
  readonly effort?: Effort<E>;
  record?: NonNullable<Effort<E>['record']>;
}

/** Step 6 for peer and local effects, in the order the machines asked for them. */
export function perform<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  planned: readonly Planned<I, E, V>[],
  trace: string,
): void {
  for (const { id, from, effect, performer, sealed, record } of planned) {
    if (performer.class === 'service') continue;
    const context = performing(session, id, from, trace, record);
    if (performer.class === 'peer') performer.perform(sealed as never, context);
    else {
      Promise.resolve()
        .then(() => performer.perform(effect, context))
        .then(
          (input) => answered(engine, session, input, trace),
          (error: unknown) => quarantine(engine, present(session), error),
        );
    }
  }
}

function answered<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  input: I | undefined,
  trace: string,
): void {
  if (input === undefined) return;
  if (present(session).phase === 'gone') drop(engine, 'late-answer');
  else engine.enqueue(session, { kind: 'input', input, create: false, trace });
}
