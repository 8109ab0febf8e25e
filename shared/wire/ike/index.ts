export {
  type Attribute,
  attributeNumber,
  emitAttribute,
  numberAttribute,
  parseAttributes,
} from './attribute.ts';
export { type Chain, emitChain, type Link, linkOf, parseChain, payloadsOf } from './chain.ts';
export {
  COOKIE_OCTETS,
  emitIsakmpHeader,
  ISAKMP_HEADER_OCTETS,
  type IsakmpHeader,
  isZeroCookie,
  parseIsakmpHeader,
} from './header.ts';
export { ISAKMP_LIMITS } from './limits.ts';
export {
  emitClearMessage,
  emitWithHeader,
  type HeaderFields,
  type IsakmpMessage,
  isFragment,
  parseClearMessage,
  parseOpenedMessage,
} from './message.ts';
export { checkMessage, MESSAGE_RULES, type MessageName, type MessageRule } from './message-rules.ts';
export {
  emitPayload,
  type Payload,
  type PayloadKind,
  type PayloadOf,
  type PrivatePayload,
  parsePayload,
} from './payload.ts';
export { type CertificatePayload, emitCertificate, parseCertificate } from './payloads/certificate.ts';
export { type DeletePayload, emitDelete, parseDelete } from './payloads/delete.ts';
export { emitFragment, type FragmentPayload, parseFragment } from './payloads/fragment.ts';
export { emitId, type IdPayload, parseId } from './payloads/id.ts';
export { emitNatD, type NatDPayload, type NatTNumbers, parseNatD } from './payloads/nat-d.ts';
export { emitNatOa, type NatOaPayload, parseNatOa } from './payloads/nat-oa.ts';
export { emitNotification, type NotificationPayload, parseNotification } from './payloads/notification.ts';
export {
  emitOctets,
  type HashPayload,
  type KePayload,
  type NoncePayload,
  type OctetsKind,
  type OctetsPayload,
  parseOctets,
  type SigPayload,
  type VendorIdPayload,
} from './payloads/octets.ts';
export { emitProposal, type Proposal, parseProposals } from './payloads/proposal.ts';
export { emitSa, parseSa, type SaPayload } from './payloads/sa.ts';
export { emitTransform, parseTransforms, type Transform } from './payloads/transform.ts';
export {
  DOI,
  EXCHANGE,
  FLAG,
  NOTIFY,
  nameOf,
  PAYLOAD,
  PROTOCOL,
  SIT_IDENTITY_ONLY,
} from './registry-isakmp.ts';
export {
  AUTHENTICATION,
  ENCRYPTION,
  GROUP,
  HASH,
  KE_OCTETS,
  KEY_IKE,
  LIFE_TYPE,
  PHASE_1_ATTRIBUTE,
} from './registry-phase-1.ts';
export {
  ENCAPSULATION,
  ESP_AUTHENTICATION,
  ESP_TRANSFORM,
  ID_TYPE,
  PHASE_2_ATTRIBUTE,
} from './registry-phase-2.ts';
export { VENDOR_IDS, vendorId, vendorName } from './vendor-ids.ts';
