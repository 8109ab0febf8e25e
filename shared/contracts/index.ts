export type * from './admin.ts';
export type * from './forward.ts';
export type * from './packets.ts';
export type * from './requests.ts';
export {
  type After,
  type Endpoint,
  endpointKey,
  type Flow,
  flowKey,
  type SessionId,
  SHARDS,
  shardOfHex,
  shardOfSpi,
} from './session.ts';
export { buckets, recordKey, type ServiceName, subjects } from './subjects.ts';
