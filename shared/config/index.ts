export { fixedAddressFault } from './checks/fixed-address.ts';
export {
  type Config,
  defaultStateDir,
  type ListenerConfig,
  type NatsConfig,
  type PskConfig,
  type UserConfig,
} from './config.ts';
export { ConfigFaults, type Fault, faultText } from './faults.ts';
export { nearest } from './nearest.ts';
export { configSchemaJson, loadConfig, parseConfig, secretFilesOf } from './parse.ts';
export { overlap, type Prefix, prefixOf } from './prefix.ts';
export { printConfig, redacted } from './print.ts';
export { newPsk, pskWeakness } from './psk.ts';
