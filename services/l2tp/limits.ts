/** What this service's host takes on. */
export const SESSIONS_MAX = 50_000;
/** Inputs that wait for one session; a client's packets beyond it are dropped and repeated by the client. */
export const MAILBOX_MAX = 64;
/** How long another service may take to answer before we ask again. */
export const REQUEST_TIMEOUT_MS = 2_000;
export const ACTIVITY_TIMEOUT_MS = 1_000;
