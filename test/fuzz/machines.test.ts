import { describe, test } from 'vitest';
import { ikeTroupe } from './ike-troupe.ts';
import { l2tpTroupes } from './l2tp-troupe.ts';
import { pppTroupe } from './ppp-troupe.ts';
import { FUZZ_TIMEOUT_MS } from './run.ts';
import { fuzzTroupe } from './troupe.ts';

describe('machines under random facts, events and timers', () => {
  for (const troupe of [ikeTroupe, ...l2tpTroupes, pppTroupe]) {
    test(troupe.name, { timeout: FUZZ_TIMEOUT_MS }, () => fuzzTroupe(troupe));
  }
});
