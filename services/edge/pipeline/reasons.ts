/** Every reason for which the engine drops a packet: a closed set of metric labels. */
export const DROP_REASONS = [
  // The outer packet.
  'outer-malformed', // too short for its port, or longer than a slot
  'ike-rate',
  'unknown-spi',
  'sa-expired',
  'wrong-encapsulation', // raw ESP for an SA that runs in UDP, or the other way round
  'esp-length',
  'esp-replayed',
  'esp-too-old',
  'esp-icv',
  'esp-trailer',
  'esp-dummy', // RFC 4303 §2.6: next header 59, not an error
  'esp-next-header',
  // Inside ESP.
  'udp-malformed',
  'selector', // not what the SA is for: UDP ports, or selectors in tunnel mode
  'l2tp-malformed',
  'l2tp-unknown-call',
  'l2tp-old-sequence',
  'ppp-malformed',
  'ppp-no-link',
  'no-link', // tunnel mode before the session has a link for it
  'control-rate',
  // The client's packet.
  'inner-malformed',
  'inner-options', // source route or routing header
  'inner-source',
  'inner-martian',
  'inner-multicast',
  'inner-to-gateway',
  'inner-to-client',
  'inner-not-allowed',
  'acl',
  'ecn', // RFC 6040 §4.2: congestion that the transport could not hear of otherwise
  'rate',
  'overload', // of an engine that has a bound on its work
  // Towards the client.
  'tun-malformed',
  'no-route',
  'too-big', // answered with ICMP
  'no-session',
  'no-call',
  'no-sa',
  'sequence-stalled', // no numbers reserved, and no room to wait for them
  'sequence-exhausted',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

export type DropCounters = Record<DropReason, number>;

export function noDrops(): DropCounters {
  return Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as DropCounters;
}
