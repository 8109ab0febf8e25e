/** Specification: RFC 3706 §5.3. */
export const SEQUENCE_OCTETS = 4;

/** Tuning: a probe is repeated this often within the time-out, at least a second apart. */
export const PROBES = 5;
export const PROBE_MS_MIN = 1000;
export const PURPOSE = { sequence: 1 } as const;
