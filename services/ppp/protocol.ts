import { classify, type PppBody, type PppEffect, pppActors } from '@culvert/actors-ppp';
import { buckets } from '@culvert/contracts';
import type { Protocol, Vault } from '@culvert/host';
import type { Runtime } from '@culvert/runtime';
import { durability } from './durability.ts';
import type { EarlyFrames } from './early.ts';
import { performers } from './effects.ts';
import { forward } from './forward.ts';
import { locate, opened, type PppInput } from './inputs.ts';
import { MAILBOX_MAX, SESSIONS_MAX } from './limits.ts';
import { settingsOf } from './settings.ts';
import { summary } from './summary.ts';

/** Of the stored form; a change of any machine's context or states raises it, with a migration. */
const STORED_VERSION = 1;

export type PppProtocol = Protocol<PppInput, PppBody, PppEffect, Vault>;

export function pppProtocol(runtime: Runtime, early: EarlyFrames): PppProtocol {
  const settings = settingsOf(runtime.config);
  return {
    name: 'ppp',
    version: STORED_VERSION,
    migrations: {},
    bucket: buckets.ppp,
    actors: pppActors,
    limits: { sessionsMax: SESSIONS_MAX, mailboxMax: MAILBOX_MAX },
    locate,
    newVault: () => ({}),
    open: (input, view) => opened(input, view, settings, runtime.sealer),
    classify,
    effects: performers(runtime, early),
    durability,
    forward,
    ended: (state) => Object.keys(state).length === 0,
    summary,
  };
}
