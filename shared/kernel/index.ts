export { type Migrations, migrate, restored, type StoredMachine, stored } from './checkpoint.ts';
export { childSeed, type EntropySeed, exposed, SEED_OCTETS } from './entropy.ts';
export { InvariantViolation, invariant } from './invariant.ts';
export {
  type ActorEffect,
  type ActorId,
  type Actors,
  DELIVERIES_MAX,
  type Delivery,
  kindOf,
  restoredSession,
  type SessionState,
  type SessionStep,
  type SessionTimer,
  type Stamped,
  type StoredSession,
  stepSession,
  storedSession,
} from './session.ts';
export { type Happening, type Step, start, step, type TimerChange } from './step.ts';
export type { DurationMs, Instant } from './time.ts';
export {
  changeTimers,
  fired,
  NO_TIMERS,
  nextTimer,
  type Timer,
  type TimerTable,
  timerKey,
} from './timers.ts';
