import type { Fault } from '../faults.ts';
import { checkAddresses } from './addresses.ts';
import { checkLimits } from './limits.ts';
import { checkListeners } from './listeners.ts';
import { checkNats } from './nats.ts';
import { type Parts, readableParts, reporter, type Surroundings } from './parts.ts';
import { checkPsks } from './psks.ts';
import { checkUsers } from './users.ts';

export { readableParts };

/** What the schema cannot see: fields that must agree with each other, and the strength of keys. */
export function crossFaults(parts: Parts, around: Surroundings): Fault[] {
  const faults: Fault[] = [];
  const report = reporter(around, faults);
  checkListeners(parts, report);
  checkPsks(parts, report, around.secrets);
  checkAddresses(parts, report);
  checkUsers(parts, report);
  checkLimits(parts, report, around.secrets);
  checkNats(parts, report, around.baseDir);
  return faults;
}
