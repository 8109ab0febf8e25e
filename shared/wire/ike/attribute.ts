import { be16, concat, viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import { ISAKMP_LIMITS } from './limits.ts';

const FORMAT_TV = 0x8000;

/** RFC 2408 §3.3: a basic attribute (TV, two octets) or a variable one (TLV). */
export type Attribute =
  | { readonly type: number; readonly form: 'TV'; readonly value: number }
  | { readonly type: number; readonly form: 'TLV'; readonly octets: Uint8Array };

export function parseAttributes(body: Uint8Array, at: number): Parsed<readonly Attribute[]> {
  const attributes: Attribute[] = [];
  const view = viewOf(body);
  let offset = 0;
  while (offset < body.length) {
    if (attributes.length >= ISAKMP_LIMITS.attributesPerTransformMax)
      return malformed('too-many', at + offset);
    if (body.length - offset < 4) return malformed('truncated', at + offset);
    const typeAndFormat = view.getUint16(offset);
    const type = typeAndFormat & ~FORMAT_TV;
    const value = view.getUint16(offset + 2);
    offset += 4;
    if ((typeAndFormat & FORMAT_TV) !== 0) attributes.push({ type, form: 'TV', value });
    else {
      if (value > body.length - offset) return malformed('bad-length', at + offset - 2);
      attributes.push({ type, form: 'TLV', octets: body.subarray(offset, offset + value) });
      offset += value;
    }
  }
  return parsed(attributes);
}

export function emitAttribute(attribute: Attribute): Uint8Array {
  if (attribute.form === 'TV') return concat(be16(FORMAT_TV | attribute.type), be16(attribute.value));
  return concat(be16(attribute.type), be16(attribute.octets.length), attribute.octets);
}

/** A number in either form (RFC 2407 §4.5 lets basic values come as TLV); undefined above 48 bits. */
export function attributeNumber(attribute: Attribute): number | undefined {
  if (attribute.form === 'TV') return attribute.value;
  let value = 0;
  for (const [index, octet] of attribute.octets.entries()) {
    if (octet !== 0 && attribute.octets.length - index > 6) return undefined;
    value = value * 256 + octet;
  }
  return attribute.octets.length === 0 ? undefined : value;
}

/** Two octets as TV, more as a TLV of four: what RFC 2407 §4.5 shows for life durations. */
export function numberAttribute(type: number, value: number): Attribute {
  if (value <= 0xffff) return { type, form: 'TV', value };
  return {
    type,
    form: 'TLV',
    octets: concat(be16(Math.floor(value / 65_536) & 0xffff), be16(value & 0xffff)),
  };
}
