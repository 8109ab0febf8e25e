export { accountIndex, type Counted } from './accounting.ts';
export type { Declaration } from './apply.ts';
export { createEngine, type Engine } from './engine.ts';
export { type Judged, judged, type Kept, refusalOf } from './entry-checks.ts';
export { type OuterFlow, outerFlow, sameFlow, textFlow } from './flow.ts';
export { EXTENDED_SEQUENCE_END, SEQUENCE_BLOCK, SEQUENCE_END } from './limits.ts';
export type { Mark } from './past.ts';
export type {
  EngineCounters,
  EngineEvent,
  EngineOptions,
  EnginePolicy,
  EngineSink,
  OuterPacket,
  SaWindow,
  SessionReport,
} from './ports.ts';
export { DROP_REASONS, type DropCounters, type DropReason, noDrops } from './reasons.ts';
export { fullBucket, type Rate, type TokenBucket, take } from './token-bucket.ts';
