import { hex, malformed, type Parsed } from '@culvert/wire';
import {
  type AuthenticateRequest,
  type AuthenticationProtocol,
  accmOption,
  authenticationProtocolOption,
  type ChapValue,
  type ControlPacket,
  type CpOption,
  chapAlgorithms,
  controlPacketOctets,
  type EapBody,
  emitAuthenticateRequest,
  emitChapValue,
  emitEapBody,
  emitFrame,
  emitMagicData,
  emitMsChapFailure,
  emitMsChapSuccess,
  emitMsChapV2Response,
  emitPapMessage,
  emitProtocolReject,
  emitTimeRemaining,
  type Frame,
  frameLength,
  interfaceIdentifierOption,
  ipcpOptions,
  ipv4Option,
  type MagicData,
  type MsChapFailure,
  type MsChapSuccess,
  type MsChapV2Response,
  magicNumberOption,
  mruOption,
  optionsOctets,
  type ProtocolReject,
  parseAuthenticateRequest,
  parseAuthenticationProtocol,
  parseCcpWishes,
  parseChapValue,
  parseCodeReject,
  parseControlPacket,
  parseEapBody,
  parseFrame,
  parseInterfaceIdentifier,
  parseIpv4Option,
  parseMagicData,
  parseMagicNumber,
  parseMru,
  parseMsChapFailure,
  parseMsChapSuccess,
  parseMsChapV2Response,
  parseOptions,
  parsePapMessage,
  parseProtocolReject,
  parseTimeRemaining,
  protocols,
  type TimeRemaining,
} from '@culvert/wire/ppp';
import { describe, test } from 'vitest';
import { type Decoder, fuzzDecoder } from './decoder.ts';
import { FUZZ_TIMEOUT_MS } from './run.ts';

const text = (letters: string) => new TextEncoder().encode(letters);
const MESSAGE_OCTETS_MAX = 1500;
const flag = (type: number): CpOption => ({ type, data: new Uint8Array(0) });

const LCP_REQUEST = optionsOctets([
  mruOption(1400),
  accmOption(0),
  authenticationProtocolOption({ protocol: protocols.chap, algorithm: chapAlgorithms.msChapV2 }),
  magicNumberOption(0x1122_3344),
  flag(7),
  flag(8),
]);
const IPCP_REQUEST = optionsOctets([
  ipv4Option(ipcpOptions.ipAddress, new Uint8Array(4)),
  ipv4Option(ipcpOptions.primaryDns, new Uint8Array(4)),
]);
const PACKETS = [LCP_REQUEST, IPCP_REQUEST, new Uint8Array(0), text('words')].map((data, index) =>
  controlPacketOctets({ code: index + 1, identifier: index, data }),
);

const frameOctets = (frame: Frame, pfc: boolean, acfc: boolean): Uint8Array => {
  const octets = new Uint8Array(frameLength(frame, { pfc, acfc }));
  emitFrame(frame, octets, 0, { pfc, acfc });
  return octets;
};

const frame: Decoder<Frame> = {
  name: 'PPP frame',
  corpus: Object.values(protocols).flatMap((protocol, index) => [
    frameOctets({ protocol, information: PACKETS[index % PACKETS.length] as Uint8Array }, false, false),
    frameOctets({ protocol, information: PACKETS[index % PACKETS.length] as Uint8Array }, true, true),
  ]),
  parse: parseFrame,
  // A number whose first octet is odd has no two-octet form: such a frame was never well formed.
  emit: (value) =>
    value.protocol > 0xff && (value.protocol & 0x100) !== 0 ? undefined : frameOctets(value, false, false),
};

const packet: Decoder<ControlPacket> = {
  name: 'control packet',
  corpus: PACKETS,
  parse: parseControlPacket,
  emit: controlPacketOctets,
};

const options: Decoder<readonly CpOption[]> = {
  name: 'options',
  corpus: [LCP_REQUEST, IPCP_REQUEST, optionsOctets([interfaceIdentifierOption(hex('0202020202020202'))])],
  parse: parseOptions,
  emit: optionsOctets,
};

const authentication: Decoder<AuthenticationProtocol> = {
  name: 'Authentication-Protocol',
  corpus: [hex('c22381'), hex('c22305'), hex('c023'), hex('c227')],
  parse: parseAuthenticationProtocol,
  emit: (value) => authenticationProtocolOption(value).data,
};

const magic: Decoder<MagicData> = {
  name: 'Echo and Identification',
  corpus: [emitMagicData({ magic: 7, rest: text('MSRASV5.20') })],
  parse: parseMagicData,
  emit: emitMagicData,
};

const remaining: Decoder<TimeRemaining> = {
  name: 'Time-Remaining',
  corpus: [emitTimeRemaining({ magic: 7, seconds: 60, message: text('soon') })],
  parse: parseTimeRemaining,
  emit: emitTimeRemaining,
};

const protocolReject: Decoder<ProtocolReject> = {
  name: 'Protocol-Reject',
  corpus: [emitProtocolReject({ protocol: protocols.ccp, information: LCP_REQUEST }, 1500)],
  parse: parseProtocolReject,
  emit: (value) => emitProtocolReject(value, 0xffff_ffff),
};

const pap: Decoder<AuthenticateRequest> = {
  name: 'PAP Authenticate-Request',
  corpus: [emitAuthenticateRequest({ peerId: text('alice'), password: text('secret') })],
  parse: parseAuthenticateRequest,
  emit: emitAuthenticateRequest,
};

const papMessage: Decoder<Uint8Array> = {
  name: 'PAP message',
  corpus: [emitPapMessage(text('welcome')), new Uint8Array(0)],
  parse: parsePapMessage,
  emit: emitPapMessage,
};

const chap: Decoder<ChapValue> = {
  name: 'CHAP value',
  corpus: [emitChapValue({ value: new Uint8Array(16).fill(3), name: text('alice') })],
  parse: parseChapValue,
  emit: emitChapValue,
};

const msChap: Decoder<MsChapV2Response> = {
  name: 'MS-CHAPv2 Response',
  corpus: [
    emitMsChapV2Response({
      peerChallenge: new Uint8Array(16).fill(1),
      ntResponse: new Uint8Array(24).fill(2),
    }),
  ],
  parse: parseMsChapV2Response,
  emit: emitMsChapV2Response,
};

/** Octets that are no UTF-8 grow when their replacement characters are written out, perhaps beyond what is read. */
const notGrown = (octets: Uint8Array): Uint8Array | undefined =>
  octets.length > MESSAGE_OCTETS_MAX ? undefined : octets;

const msChapFailure: Decoder<MsChapFailure> = {
  name: 'MS-CHAPv2 Failure',
  corpus: [
    emitMsChapFailure({
      error: 691,
      retry: true,
      challenge: new Uint8Array(16).fill(9),
      version: 3,
      message: 'no',
    }),
  ],
  parse: parseMsChapFailure,
  emit: (value) => notGrown(emitMsChapFailure(value)),
  makes: true,
};

const msChapSuccess: Decoder<MsChapSuccess> = {
  name: 'MS-CHAPv2 Success',
  corpus: [emitMsChapSuccess({ authenticatorResponse: `S=${'0A'.repeat(20)}`, message: 'welcome' })],
  parse: parseMsChapSuccess,
  emit: (value) => notGrown(emitMsChapSuccess(value)),
};

const eap: Decoder<EapBody | undefined> = {
  name: 'EAP',
  corpus: [hex('01010009 01 61626364'), hex('02010006 03 04'), hex('03010004')],
  parse(octets): Parsed<EapBody | undefined> {
    const outer = parseControlPacket(octets);
    return outer.ok ? parseEapBody(outer.value) : outer;
  },
  emit: (value) => value && controlPacketOctets({ code: 1, identifier: 0, data: emitEapBody(value) }),
};

const ccp: Decoder<readonly string[]> = {
  name: 'CCP',
  corpus: [controlPacketOctets({ code: 1, identifier: 1, data: hex('120601000060 1104 0001') })],
  parse: parseCcpWishes,
};

/** Option values of one fixed size each. */
const values: Decoder<unknown> = {
  name: 'option values',
  corpus: [hex('0578'), hex('11223344'), hex('0a620001'), hex('0202020202020202'), hex('01')],
  parse(octets): Parsed<unknown> {
    const readers = [parseMru, parseMagicNumber, parseIpv4Option, parseInterfaceIdentifier, parseCodeReject];
    const read = readers.map((reader): Parsed<unknown> => reader(octets));
    return read.find((one) => one.ok) ?? read[0] ?? malformed('missing', 0);
  },
};

describe('PPP decoders', () => {
  const all: readonly Decoder<unknown>[] = [
    frame,
    packet,
    options,
    authentication,
    magic,
    remaining,
    protocolReject,
    pap,
    papMessage,
    chap,
    msChap,
    msChapFailure,
    msChapSuccess,
    eap,
    ccp,
    values,
  ];
  for (const target of all) {
    test(target.name, { timeout: FUZZ_TIMEOUT_MS }, () => fuzzDecoder(target));
  }
});
