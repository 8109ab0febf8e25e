/**
 * A session's name: 16 hexadecimal digits, the responder cookie of the ISAKMP SA that founded it. Its
 * high ten bits are the session's shard.
 */
export type SessionId = string;

export const SHARDS = 1024;

/** The shard of anything whose first ten bits carry it: cookie, session id, SPI in hexadecimal. */
export function shardOfHex(digits: string): number {
  return Number.parseInt(digits.slice(0, 4).padEnd(4, '0'), 16) >>> 6;
}

export function shardOfSpi(spi: number): number {
  return spi >>> 22;
}

/** A transport address in text form, IPv4 dotted or IPv6 compressed. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Both ends of an outer path as this gateway sees it: `local` is the address the client dialled. */
export interface Flow {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export function endpointKey({ address, port }: Endpoint): string {
  return `${address}|${port}`;
}

export function flowKey(flow: Flow): string {
  return `${endpointKey(flow.local)}|${endpointKey(flow.remote)}`;
}

/** A record that must be applied at the edge before a packet may leave. */
export interface After {
  readonly bucket: string;
  readonly key: string;
  readonly revision: number;
}
