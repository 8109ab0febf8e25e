import { classify, type IkeBody, type IkeEffect, ikeActors } from '@culvert/actors-ike';
import { buckets } from '@culvert/contracts';
import type { Host, Protocol } from '@culvert/host';
import type { Runtime } from '@culvert/runtime';
import { newAgreements } from './agreements.ts';
import { addContact, enter, leave, newDirectory, removeHalfOpen } from './directory.ts';
import { durability } from './durability.ts';
import { performers } from './effects.ts';
import { forward } from './forward.ts';
import { newFragments } from './fragments.ts';
import type { IkeInput } from './inputs.ts';
import type { Keeping } from './keeping.ts';
import { AGREEMENTS_MAX, MAILBOX_MAX, SESSIONS_MAX } from './limits.ts';
import { locate } from './locate.ts';
import { open } from './open.ts';
import { policyOf } from './policy.ts';
import { pskChoice } from './psk.ts';
import { summary } from './summary.ts';
import { absorb, type IkeVault, newVault } from './vault.ts';

/** Of the stored form; a change of any machine's context or states, or of the vault, raises it. */
const STORED_VERSION = 1;

export type IkeProtocol = Protocol<IkeInput, IkeBody, IkeEffect, IkeVault>;

export function ikeProtocol(runtime: Runtime, host: () => Host<IkeInput, IkeVault>): IkeProtocol {
  const { config, entropy, clock } = runtime;
  const policy = policyOf(config);
  const directory = newDirectory();
  const agreements = newAgreements(AGREEMENTS_MAX);
  const keeping: Keeping = {
    config,
    directory,
    fragments: newFragments(clock, policy.fragmentation),
    entropy,
    agreements,
    psks: pskChoice(config.psks),
    admitted(session, { contact }) {
      removeHalfOpen(directory, session);
      addContact(directory, session, contact);
    },
  };
  const exists = (session: string) => host().view(session) !== undefined;
  runtime.telemetry.gauge('culvert.ike.half_open', () => directory.halfOpen.size);
  return {
    name: 'ike',
    version: STORED_VERSION,
    migrations: {},
    bucket: buckets.ike,
    actors: ikeActors,
    limits: { sessionsMax: SESSIONS_MAX, mailboxMax: MAILBOX_MAX },
    locate: (input) => locate(input, { directory, config, entropy, exists }),
    newVault,
    open: (input, view) => open(input, view, keeping),
    classify: (fact, state) => classify(fact.body, state, policy),
    effects: performers({ runtime, directory, agreements, isakmpSasMax: policy.sasPerSessionMax, host }),
    durability,
    forward,
    ended: (state) => Object.keys(state).length === 0,
    absorb,
    restored: (view) => enter(directory, view),
    closed(view) {
      keeping.fragments.forget(view.session);
      leave(directory, view);
    },
    summary,
  };
}
