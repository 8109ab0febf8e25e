export { AVP_HEADER_OCTETS, AVP_VALUE_OCTETS_MAX, type Avp, emitAvp, parseAvp, UNRECOGNISED } from './avp.ts';
export {
  AVPS,
  type AvpName,
  type AvpRow,
  type AvpValue,
  type AvpValues,
  avpName,
  type ValueName,
} from './avp-dictionary.ts';
export {
  CONTROL_HEADER_OCTETS,
  type ControlHeader,
  type DataHeader,
  emitControlHeader,
  emitData,
  isControl,
  parseControlHeader,
  parseDataHeader,
} from './header.ts';
export type { Hide, Reveal } from './hidden.ts';
export {
  AVPS_MAX,
  type ControlMessage,
  emitControlMessage,
  type Hiding,
  type MessageBody,
  type MessageFault,
  type OutgoingMessage,
  parseControlMessage,
} from './message.ts';
export { MESSAGES, type MessageName, type MessageRule, messageName, ruleOf } from './message-rules.ts';
export { CDN_RESULTS, DISCONNECT_CODES, ERRORS, explainResult, STOP_CCN_RESULTS } from './result-codes.ts';
export type {
  Accm,
  CallErrors,
  PppDisconnectCause,
  ProtocolVersion,
  Q931Cause,
  ResultCode,
  ValueCodec,
} from './values.ts';
