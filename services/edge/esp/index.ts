export { inferred, SUBSPACE } from './extended.ts';
export { createIvSource, GENERATION_MAX, type IvOptions, type IvSource } from './iv.ts';
export { type EspFault, type EspOpened, openEsp } from './open.ts';
export { payloadRoom, type SealInput, sealEsp, sealedLength } from './seal.ts';
export { type EspTransform, fits, keyFault, prepareEsp } from './transform.ts';
export { truncated } from './truncation.ts';
export { accepted, freshness, newWindow, type ReplayWindow } from './window.ts';
