export { ask, NotTaken } from './ask.ts';
export { systemClock } from './clock.ts';
export { createHost } from './create.ts';
export type { Host, HostAdmin } from './host.ts';
export type { Clock, EntropySource, HostPorts, Sealer } from './ports.ts';
export type {
  Dropped,
  Durability,
  Fact,
  Performer,
  Performing,
  Protocol,
  SessionView,
  Vault,
} from './protocol.ts';
export { readForwardPart } from './record.ts';
