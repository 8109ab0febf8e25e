import { malformed, type Parsed, parsed } from '../parsed.ts';
import type { CpOption } from './option.ts';

/** IPCP option types: RFC 1332 §3, RFC 2290 (4), RFC 1877 §1. */
export const ipcpOptions = {
  ipAddresses: 1,
  ipCompression: 2,
  ipAddress: 3,
  mobileIpv4: 4,
  primaryDns: 129,
  primaryNbns: 130,
  secondaryDns: 131,
  secondaryNbns: 132,
} as const;

/** The four octets of IP-Address and of the RFC 1877 server options. */
export function parseIpv4Option(data: Uint8Array): Parsed<Uint8Array> {
  return data.length === 4 ? parsed(data) : malformed('bad-length', 0);
}

export function ipv4Option(type: number, address: Uint8Array): CpOption {
  if (address.length !== 4) throw new RangeError('an IPv4 address has 4 octets');
  return { type, data: address };
}
