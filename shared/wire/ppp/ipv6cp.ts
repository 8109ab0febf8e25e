import { malformed, type Parsed, parsed } from '../parsed.ts';
import type { CpOption } from './option.ts';

/** RFC 5072 §4; type 2 is the compression option of RFC 2472, now in RFC 5172. */
export const ipv6cpOptions = { interfaceIdentifier: 1, ipv6Compression: 2 } as const;

export const INTERFACE_IDENTIFIER_OCTETS = 8;

export function parseInterfaceIdentifier(data: Uint8Array): Parsed<Uint8Array> {
  return data.length === INTERFACE_IDENTIFIER_OCTETS ? parsed(data) : malformed('bad-length', 0);
}

export function interfaceIdentifierOption(identifier: Uint8Array): CpOption {
  if (identifier.length !== INTERFACE_IDENTIFIER_OCTETS)
    throw new RangeError('an Interface-Identifier has 8 octets');
  return { type: ipv6cpOptions.interfaceIdentifier, data: identifier };
}
