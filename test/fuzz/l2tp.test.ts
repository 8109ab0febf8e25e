import { hideAvp, revealAvp, Secret } from '@culvert/crypto';
import { hex } from '@culvert/wire';
import {
  AVP_HEADER_OCTETS,
  type Avp,
  type ControlHeader,
  type ControlMessage,
  type DataHeader,
  emitAvp,
  emitControlHeader,
  emitControlMessage,
  emitData,
  isControl,
  type OutgoingMessage,
  parseAvp,
  parseControlHeader,
  parseControlMessage,
  parseDataHeader,
  UNRECOGNISED,
} from '@culvert/wire/l2tp';
import { describe, expect, test } from 'vitest';
import { type Decoder, fuzzDecoder } from './decoder.ts';
import { CONTROL_MESSAGES } from './l2tp-samples.ts';
import { FUZZ_TIMEOUT_MS } from './run.ts';

const HEADER: ControlHeader = { tunnelId: 0x1234, sessionId: 0x5678, ns: 3, nr: 2 };
const secret = Secret.fromText('tunnel secret');
const randomVector = hex('000102030405060708090a0b0c0d0e0f');
const hiding = {
  randomVector,
  hide: (type: number, vector: Uint8Array, value: Uint8Array) =>
    hideAvp({ secret, type, randomVector: vector }, value, new Uint8Array(4)),
  which: () => true,
};

const plainMessages = CONTROL_MESSAGES.map((message) => emitControlMessage(HEADER, message));
const hiddenMessages = CONTROL_MESSAGES.map((message) => emitControlMessage(HEADER, message, hiding));

/** A message again from what was read of it; none from one with a fault, whose values are only a part. */
function again({ header, body }: ControlMessage): Uint8Array | undefined {
  if (body === undefined) return emitControlMessage(header);
  if (body.type === undefined || body.fault !== undefined) return undefined;
  try {
    return emitControlMessage(header, { type: body.type, values: body.values } satisfies OutgoingMessage);
  } catch (error) {
    // Text that is not UTF-8 grows threefold when its replacement characters are written out.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const control: Decoder<ControlMessage> = {
  name: 'L2TP control message',
  corpus: [...plainMessages, emitControlMessage(HEADER)],
  parse: (octets) => parseControlMessage(octets),
  emit: again,
  kept: ({ header, body }) => ({ header, type: body?.type, values: body?.values }),
};

const hidden: Decoder<ControlMessage> = {
  name: 'L2TP control message with hidden AVPs',
  corpus: hiddenMessages,
  parse: (octets) =>
    parseControlMessage(octets, (type, vector, value) =>
      revealAvp({ secret, type, randomVector: vector }, value),
    ),
  makes: true,
};

const header: Decoder<{ readonly header: ControlHeader; readonly avps: Uint8Array }> = {
  name: 'L2TP control header',
  corpus: plainMessages,
  parse: parseControlHeader,
  emit({ header: fields, avps }) {
    const octets = new Uint8Array(12 + avps.length);
    octets.set(avps, emitControlHeader(fields, octets.length, octets));
    return octets;
  },
};

const avp: Decoder<{ readonly avp: Avp; readonly next: number }> = {
  name: 'L2TP AVP',
  corpus: plainMessages.concat(hiddenMessages).map((octets) => octets.subarray(12)),
  parse: (octets) => parseAvp(octets, 0),
  emit({ avp: one }) {
    if (one.type === UNRECOGNISED) return undefined;
    const octets = new Uint8Array(AVP_HEADER_OCTETS + one.value.length);
    emitAvp(one, octets, 0);
    return octets;
  },
};

const frame = hex('ff03c0210101000a05061122334402');
const data: Decoder<{ readonly header: DataHeader; readonly payload: Uint8Array }> = {
  name: 'L2TP data message',
  corpus: [
    emitData({ tunnelId: 1, sessionId: 2, priority: false }, frame),
    emitData({ tunnelId: 1, sessionId: 2, priority: true, ns: 9 }, frame),
    // Offset of two octets (RFC 2661 §3.1), without Length.
    hex('0202 0001 0002 0002 0000 ff03c021'),
  ],
  parse: parseDataHeader,
  emit: ({ header: fields, payload }) => emitData(fields, payload),
};

describe('L2TP decoders', () => {
  const all: readonly Decoder<unknown>[] = [control, hidden, header, avp, data];
  for (const target of all) {
    test(target.name, { timeout: FUZZ_TIMEOUT_MS }, () => fuzzDecoder(target));
  }

  test('control and data messages exclude each other', () => {
    for (const octets of plainMessages) expect(isControl(octets)).toBe(true);
    for (const octets of data.corpus) expect(isControl(octets)).toBe(false);
  });
});
