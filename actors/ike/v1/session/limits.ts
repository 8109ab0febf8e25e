/** Tuning. An ISAKMP SA without Quick Mode, and IPsec SAs without a tunnel (reliability S-33). */
export const QUICK_MODE_AWAITED_MS = 60_000;
export const TUNNEL_AWAITED_MS = 60_000;
/** How long l2tp may take to close its tunnel in order. */
export const CLOSING_MS = 15_000;
