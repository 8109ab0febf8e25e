export { type AdminPorts, answerAdmin } from './admin.ts';
export { boot } from './boot.ts';
export type { AdminSource, Runtime } from './runtime.ts';
