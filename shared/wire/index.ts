export { be16, be32, concat, equal, hex, toHex, u16, u32, viewOf } from './octets.ts';
export { type MalformedReason, malformed, type Parsed, parsed } from './parsed.ts';
