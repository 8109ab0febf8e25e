import type { Config } from '@culvert/config';
import type { Check } from './finding.ts';
import { forwarding, mtu, networkTools, privileges, tunDevice } from './kernel.ts';
import { nats } from './nats.ts';
import { espFree, portsFree } from './ports.ts';
import { addon, ciphers, clock, knownAnswers, node, secretFiles, stateDirectory } from './runtime.ts';

/** In the order in which `culvert up` would stumble over them. */
export function checksFor(config: Config, secrets: readonly string[], running: boolean): readonly Check[] {
  return [
    node,
    addon,
    knownAnswers,
    () => ciphers(config),
    clock,
    () => stateDirectory(config),
    () => secretFiles(secrets),
    () => nats(config, process.env),
    privileges,
    tunDevice,
    () => networkTools(config),
    forwarding,
    () => portsFree(config, running),
    () => espFree(config, running),
    () => mtu(config),
  ];
}
