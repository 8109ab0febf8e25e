/** RFC 1661 §4.6; every one of them MUST be configurable. */
export interface AutomatonLimits {
  /** Final value of the Restart timer, milliseconds. */
  readonly restartMs: number;
  /** Its value after Initialize-Restart-Count; doubled with each timeout up to the final one. */
  readonly restartInitialMs: number;
  readonly maxConfigure: number;
  readonly maxTerminate: number;
  readonly maxFailure: number;
}

export const AUTOMATON_LIMITS: AutomatonLimits = {
  restartMs: 3_000,
  restartInitialMs: 1_000,
  maxConfigure: 10,
  maxTerminate: 2,
  maxFailure: 5,
};

/** A peer that turns down more of our wishes than this keeps us from ever agreeing: older ones are forgotten. */
export const REFUSED_MAX = 16;
