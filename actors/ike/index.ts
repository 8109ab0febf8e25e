export { type Reassembled, type Reassembly, reassemble } from './exchange/reassembly.ts';
export {
  answered,
  concluded,
  duplicateOf,
  type Exchange,
  type ExchangeTable,
  exchangeOf,
  hasSeen,
  NO_EXCHANGES,
  withBegun,
  withSeen,
} from './exchange/table.ts';
export { informationalId, isakmpSaId, quickModeId, SESSION } from './v1/actor-ids.ts';
export type { IkeBody } from './v1/body.ts';
export { classify } from './v1/classify.ts';
export type { IkeEffect } from './v1/effects.ts';
export type { InformationalContext } from './v1/informational/machine.ts';
export type { IsakmpSaContext } from './v1/isakmp-sa/context.ts';
export type { Identity, NatVerdict } from './v1/isakmp-sa/events.ts';
export { identityOf } from './v1/isakmp-sa/identity.ts';
export { SA_BODY_OCTETS_MAX } from './v1/isakmp-sa/limits.ts';
export { ikeActors } from './v1/machines.ts';
export { type Endpoint, type Path, sameEndpoint, samePath } from './v1/path.ts';
export type { IkePolicy } from './v1/policy.ts';
export { clientClass } from './v1/proposal/client-class.ts';
export { type Phase1Suite, selectPhase1 } from './v1/proposal/phase-1.ts';
export type { Phase1Encryption, Phase1Hash } from './v1/proposal/phase-1-offer.ts';
export { selectPhase2 } from './v1/proposal/phase-2.ts';
export type { EspEncryption, EspIntegrity } from './v1/proposal/phase-2-offer.ts';
export type { QuickModeContext } from './v1/quick-mode/context.ts';
export type { Report } from './v1/report.ts';
