export { parseCcpWishes } from './ccp.ts';
export { type ChapValue, chapCodes, emitChapValue, parseChapValue } from './chap.ts';
export {
  type ControlPacket,
  codeRejectData,
  codes,
  controlPacketLength,
  controlPacketOctets,
  emitControlPacket,
  emitProtocolReject,
  type ProtocolReject,
  parseCodeReject,
  parseControlPacket,
  parseProtocolReject,
} from './control-packet.ts';
export { type EapBody, eapCodes, eapTypes, emitEapBody, parseEapBody } from './eap.ts';
export {
  bareFrame,
  emitFrame,
  type Frame,
  type FrameCompression,
  frameLength,
  parseFrame,
  UNCOMPRESSED,
} from './frame.ts';
export { ipcpOptions, ipv4Option, parseIpv4Option } from './ipcp.ts';
export {
  INTERFACE_IDENTIFIER_OCTETS,
  interfaceIdentifierOption,
  ipv6cpOptions,
  parseInterfaceIdentifier,
} from './ipv6cp.ts';
export {
  type AuthenticationProtocol,
  accmOption,
  authenticationProtocolOption,
  chapAlgorithms,
  emitMagicData,
  emitTimeRemaining,
  lcpOptions,
  type MagicData,
  MRU_DEFAULT,
  magicNumberOption,
  mruOption,
  parseAuthenticationProtocol,
  parseMagicData,
  parseMagicNumber,
  parseMru,
  parseTimeRemaining,
  type TimeRemaining,
} from './lcp.ts';
export {
  emitMsChapFailure,
  emitMsChapSuccess,
  emitMsChapV2Response,
  MS_CHAP_CHALLENGE_OCTETS,
  type MsChapFailure,
  type MsChapSuccess,
  type MsChapV2Response,
  msChapErrors,
  parseMsChapFailure,
  parseMsChapSuccess,
  parseMsChapV2Response,
} from './ms-chap-v2.ts';
export {
  type CpOption,
  emitOptions,
  OPTIONS_MAX,
  optionLength,
  optionOf,
  optionsOctets,
  parseOptions,
  sameOption,
} from './option.ts';
export {
  type AuthenticateRequest,
  emitAuthenticateRequest,
  emitPapMessage,
  papCodes,
  parseAuthenticateRequest,
  parsePapMessage,
} from './pap.ts';
export { protocolName, protocols } from './protocols.ts';
