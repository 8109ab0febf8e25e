import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

export const ESP_HEADER_OCTETS = 8;
/** RFC 4303 §2.1: 0 is for local use, 1 to 255 are reserved by IANA. */
export const SPI_MIN = 256;

/** RFC 4303 §2.1, §2.2. */
export interface EspHeader {
  readonly spi: number;
  /** The low 32 bits: of an extended number the rest does not travel (RFC 4303 §2.2.1). */
  readonly sequence: number;
}

export function parseEspHeader(octets: Uint8Array): Parsed<EspHeader> {
  if (octets.length < ESP_HEADER_OCTETS) return malformed('truncated', octets.length);
  const view = viewOf(octets);
  const spi = view.getUint32(0);
  if (spi < SPI_MIN) return malformed('bad-value', 0);
  return parsed({ spi, sequence: view.getUint32(4) });
}

export function emitEspHeader(header: EspHeader, into: Uint8Array, offset = 0): number {
  const view = viewOf(into);
  view.setUint32(offset, header.spi);
  view.setUint32(offset + 4, header.sequence % 2 ** 32);
  return offset + ESP_HEADER_OCTETS;
}
