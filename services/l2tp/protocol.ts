import {
  CALLS_PER_SESSION_MAX,
  type ClassifyPolicy,
  classify,
  type L2tpBody,
  type L2tpEffect,
  l2tpActors,
  RECEIVE_WINDOW_MAX,
  TUNNELS_MAX,
  type TunnelPolicy,
} from '@culvert/actors-l2tp';
import type { Config } from '@culvert/config';
import { buckets } from '@culvert/contracts';
import type { Protocol, Vault } from '@culvert/host';
import type { Runtime } from '@culvert/runtime';
import { durability } from './durability.ts';
import { performers } from './effects.ts';
import { forward } from './forward.ts';
import { type L2tpInput, locate, opened } from './inputs.ts';
import { MAILBOX_MAX, SESSIONS_MAX } from './limits.ts';
import { summary } from './summary.ts';

/** Of the stored form; a change of any machine's context or states raises it, with a migration. */
const STORED_VERSION = 1;

export type L2tpProtocol = Protocol<L2tpInput, L2tpBody, L2tpEffect, Vault>;

export function l2tpProtocol(runtime: Runtime): L2tpProtocol {
  const policy = policyOf(runtime.config);
  const secret = runtime.config.l2tp.tunnelSecret;
  return {
    name: 'l2tp',
    version: STORED_VERSION,
    migrations: {},
    bucket: buckets.l2tp,
    actors: l2tpActors,
    limits: { sessionsMax: SESSIONS_MAX, mailboxMax: MAILBOX_MAX },
    locate,
    newVault: () => ({}),
    open: (input, view) => opened(input, view.state, secret),
    classify: (fact, state) => classify(policy, fact, state),
    effects: performers(runtime),
    durability,
    forward,
    ended: (state) => Object.keys(state).length === 0,
    summary,
  };
}

function policyOf({ l2tp }: Config): ClassifyPolicy {
  const tunnelsMax = Math.min(l2tp.tunnelsPerSessionMax, TUNNELS_MAX);
  const callsMax = Math.max(
    1,
    Math.min(l2tp.callsPerTunnelMax, Math.floor(CALLS_PER_SESSION_MAX / tunnelsMax)),
  );
  const tunnel: TunnelPolicy = {
    hostName: l2tp.hostName,
    vendorName: 'Culvert',
    authenticate: l2tp.tunnelSecret !== undefined,
    hideAvps: l2tp.hideAvps && l2tp.tunnelSecret !== undefined,
    receiveWindow: Math.min(l2tp.receiveWindow, RECEIVE_WINDOW_MAX),
    helloIdleMs: l2tp.helloIdleSeconds * 1_000,
    callsMax,
    retransmitMs: l2tp.retransmitMs,
    retransmitCapMs: l2tp.retransmitCapMs,
    retransmitMax: l2tp.retransmitMax,
  };
  return { tunnel, tunnelsMax };
}
