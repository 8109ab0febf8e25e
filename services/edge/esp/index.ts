export { createIvSource, GENERATION_MAX, type IvOptions, type IvSource } from './iv.ts';
export { type EspFault, type EspOpened, openEsp } from './open.ts';
export { payloadRoom, type SealInput, sealEsp, sealedLength } from './seal.ts';
export { type EspTransform, prepareEsp } from './transform.ts';
export { accepted, freshness, newWindow, type ReplayWindow } from './window.ts';
