export { createIvSource, type IvOptions, type IvSource } from './esp/index.ts';
export * from './pipeline/index.ts';
