import { be16, be32, concat, u16, u32, viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

/** Both directions of one AVP's Attribute Value (RFC 2661 §4.4), header and hiding undone. */
export interface ValueCodec<T> {
  readonly parse: (octets: Uint8Array) => Parsed<T>;
  readonly emit: (value: T) => Uint8Array;
}

const fixed = <T>(
  length: number,
  read: (octets: Uint8Array) => T,
  emit: (value: T) => Uint8Array,
): ValueCodec<T> => ({
  parse: (octets) => (octets.length === length ? parsed(read(octets)) : malformed('bad-length', 0)),
  emit,
});

export const uint16 = fixed(2, (octets) => u16(octets), be16);
export const uint32 = fixed(4, (octets) => u32(octets), be32);

/** Identifiers and window sizes, where zero is not a value. */
export const uint16NonZero: ValueCodec<number> = {
  parse: (octets) => {
    const value = uint16.parse(octets);
    return value.ok && value.value === 0 ? malformed('bad-value', 0) : value;
  },
  emit: be16,
};

/** An octet string with at least `min` octets. */
export const octetString = (min = 0): ValueCodec<Uint8Array> => ({
  parse: (octets) => (octets.length >= min ? parsed(octets) : malformed('bad-length', 0)),
  emit: (value) => value,
});

export const octetsOf = (length: number): ValueCodec<Uint8Array> =>
  fixed(
    length,
    (octets) => octets,
    (value) => value,
  );

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Human readable text. What is not UTF-8 shows as replacement characters; nothing is compared with it. */
export const text = (min = 0): ValueCodec<string> => ({
  parse: (octets) => (octets.length >= min ? parsed(decoder.decode(octets)) : malformed('bad-length', 0)),
  emit: (value) => encoder.encode(value),
});

/** An AVP whose presence is its value (Sequencing Required). */
export const presence: ValueCodec<true> = fixed(
  0,
  () => true as const,
  () => new Uint8Array(0),
);

/** §4.4.3: the version of the protocol, not of the header: 1, revision 0. */
export interface ProtocolVersion {
  readonly version: number;
  readonly revision: number;
}

export const protocolVersion = fixed<ProtocolVersion>(
  2,
  (octets) => ({ version: u16(octets) >>> 8, revision: u16(octets) & 0xff }),
  (value) => be16((value.version << 8) | value.revision),
);

/** §4.4.2: an Error Message implies an Error Code. */
export interface ResultCode {
  readonly result: number;
  readonly error?: number;
  readonly message?: string;
}

export const resultCode: ValueCodec<ResultCode> = {
  parse: (octets) => {
    if (octets.length < 2 || octets.length === 3) return malformed('bad-length', 0);
    const result = u16(octets);
    if (octets.length === 2) return parsed({ result });
    const error = u16(octets, 2);
    return parsed(
      octets.length === 4
        ? { result, error }
        : { result, error, message: decoder.decode(octets.subarray(4)) },
    );
  },
  emit: ({ result, error, message }) =>
    concat(
      be16(result),
      error === undefined && message === undefined ? new Uint8Array(0) : be16(error ?? 0),
      encoder.encode(message ?? ''),
    ),
};

/** §4.4.4, Q.931 values in their native encodings. */
export interface Q931Cause {
  readonly cause: number;
  readonly message: number;
  readonly advisory: string;
}

export const q931Cause: ValueCodec<Q931Cause> = {
  parse: (octets) =>
    octets.length < 3
      ? malformed('bad-length', 0)
      : parsed({ cause: u16(octets), message: octets[2] ?? 0, advisory: decoder.decode(octets.subarray(3)) }),
  emit: ({ cause, message, advisory }) =>
    concat(be16(cause), Uint8Array.of(message), encoder.encode(advisory)),
};

/** §4.4.5: two octets, the first of them zero. */
export const proxyAuthenId: ValueCodec<number> = {
  parse: (octets) => {
    const value = uint16.parse(octets);
    return value.ok && value.value > 0xff ? malformed('bad-value', 0) : value;
  },
  emit: be16,
};

/** §4.4.6, cumulative since the call was established. */
export interface CallErrors {
  readonly crcErrors: number;
  readonly framingErrors: number;
  readonly hardwareOverruns: number;
  readonly bufferOverruns: number;
  readonly timeoutErrors: number;
  readonly alignmentErrors: number;
}

export const callErrors = fixed<CallErrors>(
  26,
  (octets) => ({
    crcErrors: u32(octets, 2),
    framingErrors: u32(octets, 6),
    hardwareOverruns: u32(octets, 10),
    bufferOverruns: u32(octets, 14),
    timeoutErrors: u32(octets, 18),
    alignmentErrors: u32(octets, 22),
  }),
  (value) =>
    concat(
      be16(0),
      be32(value.crcErrors),
      be32(value.framingErrors),
      be32(value.hardwareOverruns),
      be32(value.bufferOverruns),
      be32(value.timeoutErrors),
      be32(value.alignmentErrors),
    ),
);

/** §4.4.6: async control character maps, for a LAC that frames asynchronously. */
export interface Accm {
  readonly send: number;
  readonly receive: number;
}

export const accm = fixed<Accm>(
  10,
  (octets) => ({ send: u32(octets, 2), receive: u32(octets, 6) }),
  (value) => concat(be16(0), be32(value.send), be32(value.receive)),
);

/** RFC 3145 §2. Its least length in the text counts the AVP header; the fixed part has five octets. */
export interface PppDisconnectCause {
  readonly code: number;
  readonly controlProtocol: number;
  /** 0 global, 1 at peer, 2 at local. */
  readonly direction: number;
  readonly message: string;
}

export const pppDisconnectCause: ValueCodec<PppDisconnectCause> = {
  parse: (octets) => {
    if (octets.length < 5) return malformed('bad-length', 0);
    const view = viewOf(octets);
    return parsed({
      code: view.getUint16(0),
      controlProtocol: view.getUint16(2),
      direction: view.getUint8(4),
      message: decoder.decode(octets.subarray(5)),
    });
  },
  emit: (value) =>
    concat(
      be16(value.code),
      be16(value.controlProtocol),
      Uint8Array.of(value.direction),
      encoder.encode(value.message),
    ),
};
