/** What this service's host takes on. */
export const SESSIONS_MAX = 50_000;
/** Inputs that wait for one session; a client's packets beyond it are dropped and repeated by the client. */
export const MAILBOX_MAX = 64;

/** How long another service may take to answer before we ask again. */
export const REQUEST_TIMEOUT_MS = 2_000;
/** A password check waits in aaa's queue behind others. */
export const AUTHENTICATE_TIMEOUT_MS = 10_000;

/** From the start of LCP to its Opened state: ten Configure-Requests, and a little more. */
export const ESTABLISH_MS = 35_000;
/** First period of the Restart timer: RFC 1661 §4.6 allows less than its final value on a fast link. */
export const RESTART_INITIAL_MS = 1_000;

/** Frames that came before their link, and how long they are worth keeping: one Restart timer. */
export const EARLY_FRAMES_MAX = 1_024;
export const EARLY_MS = 3_000;
