/** Tuning: bounds of this service. */
export const SESSIONS_MAX = 100_000;
export const MAILBOX_MAX = 64;
export const REQUEST_TIMEOUT_MS = 5000;
export const ACTIVITY_TIMEOUT_MS = 1000;
/** Failed MM5 messages that one half-open SA may make us try all candidates for. */
export const PROOF_ATTEMPTS_MAX = 8;
/** Pre-shared keys tried for one peer: rotation, not guessing. */
export const PSK_CANDIDATES_MAX = 4;
/** Above this share of the half-open limit new first messages are dropped at random, ever more of them. */
export const EARLY_DROP_FROM = 0.8;
/** One step may have to reach all machines of a session, several times (kernel DELIVERIES_MAX). */
export const SAS_PER_SESSION_MAX = 8;
/** Diffie-Hellman jobs that wait or run: about half a second of one machine's work in the costliest group. */
export const AGREEMENTS_MAX = 256;
/** Messages under reassembly over all sessions. */
export const REASSEMBLIES_MAX = 1024;
/** ISAKMP SAs in one session that have not proved their place: one that is renewed, and one try before it. */
export const GUESTS_MAX = 2;
/** Quick Modes that each of them may have under way. */
export const GUEST_QUICK_MODES_MAX = 2;
