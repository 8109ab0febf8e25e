import { concat, viewOf } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';
import { type Attribute, emitAttribute, parseAttributes } from '../attribute.ts';
import { PAYLOAD } from '../registry-isakmp.ts';

const HEADER_OCTETS = 8;

/** RFC 2408 §3.6. */
export interface Transform {
  readonly number: number;
  readonly id: number;
  readonly attributes: readonly Attribute[];
}

/** `count` transform payloads that fill `body` exactly. */
export function parseTransforms(body: Uint8Array, count: number, at: number): Parsed<readonly Transform[]> {
  const transforms: Transform[] = [];
  const view = viewOf(body);
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    if (body.length - offset < HEADER_OCTETS) return malformed('truncated', at + offset);
    const next = view.getUint8(offset);
    const wanted = index === count - 1 ? PAYLOAD.NONE : PAYLOAD.TRANSFORM;
    if (next !== wanted) return malformed('bad-value', at + offset);
    const length = view.getUint16(offset + 2);
    if (length < HEADER_OCTETS || length > body.length - offset)
      return malformed('bad-length', at + offset + 2);
    const attributes = parseAttributes(
      body.subarray(offset + HEADER_OCTETS, offset + length),
      at + offset + HEADER_OCTETS,
    );
    if (!attributes.ok) return attributes;
    transforms.push({
      number: view.getUint8(offset + 4),
      id: view.getUint8(offset + 5),
      attributes: attributes.value,
    });
    offset += length;
  }
  return offset === body.length ? parsed(transforms) : malformed('trailing-octets', at + offset);
}

export function emitTransform(transform: Transform, last: boolean): Uint8Array {
  const attributes = concat(...transform.attributes.map(emitAttribute));
  const octets = new Uint8Array(HEADER_OCTETS + attributes.length);
  const view = viewOf(octets);
  view.setUint8(0, last ? PAYLOAD.NONE : PAYLOAD.TRANSFORM);
  view.setUint16(2, octets.length);
  view.setUint8(4, transform.number);
  view.setUint8(5, transform.id);
  octets.set(attributes, HEADER_OCTETS);
  return octets;
}
