import { malformed, type Parsed, parsed } from '../parsed.ts';

export const NON_ESP_MARKER_OCTETS = 4;
const KEEPALIVE = 0xff;

/** RFC 3948 §2: what a datagram on UDP 4500 is. */
export type UdpEncapsulated =
  | { readonly kind: 'keepalive' }
  /** The octets behind the non-ESP marker. */
  | { readonly kind: 'ike'; readonly octets: Uint8Array }
  | { readonly kind: 'esp'; readonly octets: Uint8Array };

export function parseUdpEncapsulated(datagram: Uint8Array): Parsed<UdpEncapsulated> {
  // §2.3: one octet 0xFF.
  if (datagram.length === 1 && datagram[0] === KEEPALIVE) return parsed({ kind: 'keepalive' });
  if (datagram.length < NON_ESP_MARKER_OCTETS) return malformed('truncated', datagram.length);
  // §2.2: an SPI is never zero, so four zero octets mark IKE.
  const marked = datagram[0] === 0 && datagram[1] === 0 && datagram[2] === 0 && datagram[3] === 0;
  if (marked) return parsed({ kind: 'ike', octets: datagram.subarray(NON_ESP_MARKER_OCTETS) });
  return parsed({ kind: 'esp', octets: datagram });
}

/** The datagram for an IKE message on UDP 4500. */
export function emitMarked(message: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(NON_ESP_MARKER_OCTETS + message.length);
  datagram.set(message, NON_ESP_MARKER_OCTETS);
  return datagram;
}
