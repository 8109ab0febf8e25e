export type { AdminSource, Runtime } from './runtime.ts';
