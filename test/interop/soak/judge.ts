import type { Census } from '../lab/census.ts';
import { USERS } from '../lab/gateway.ts';
import type { Outcome } from './rekey.ts';

/** What a heap breathes; nats-server is not asked to collect its garbage. */
const BREATH_OCTETS = 16 << 20;
const NATS_BREATH_OCTETS = 48 << 20;
/** Files and pipes that a process opens for a moment. */
const MOMENTARY = 2;
/** What the edge reads once, a minute after its start, leaves a consumer until the server takes it away. */
const LINGERING_CONSUMERS = 2;
/** A session's pairs of SAs, by `sasPerSessionMax`; the edge keeps a key for each. */
const SAS_PER_SESSION = 8;
/** A deletion stays for ten minutes and is swept within one more. */
const DELETIONS_KEPT_SECONDS = 11 * 60;

/** What is wrong with an outcome, in words; none is what there should be. */
export function faults(outcome: Outcome): string[] {
  const { connections, lost, stalls, quickModes, before, warm, end, after } = outcome;
  const found: string[] = [];
  const wrong = connections.filter(({ wrongAt }) => wrongAt !== undefined).length;
  if (connections.length === 0) found.push('no TCP connection was under load');
  if (lost > 0) found.push(`${lost} TCP connections were lost`);
  if (wrong > 0) found.push(`${wrong} TCP connections carried other octets than were sent`);
  if (stalls > 0) found.push(`${stalls} stalls longer than a second`);

  grown(found, warm, end, 'with the clients there');
  remembered(found, warm, end);
  grown(found, before, after, 'after the clients');
  const kept = Math.ceil(quickModes * Math.min(1, DELETIONS_KEPT_SECONDS / outcome.seconds) * 1.2) + 64;
  for (const [name, messages] of Object.entries(after.messages))
    if (messages > (after.keys[name] ?? 0) + kept) found.push(`${messages} messages are kept of ${name}`);
  if (after.engineSas + after.isakmpSas + after.ipsecSas > 0) found.push('SAs were left behind');
  return found;
}

function grown(found: string[], from: Census, to: Census, when: string): void {
  const more = (what: string, a: number, b: number, allowed: number): void => {
    if (b - a > allowed) found.push(`${what} grew from ${a} to ${b} ${when}`);
  };
  for (const [name, then] of Object.entries(from.processes)) {
    const now = to.processes[name];
    if (now?.pid !== then.pid) {
      found.push(`${name} was started anew`);
      continue;
    }
    // Go starts threads when it likes to.
    if (name !== 'nats') more(`threads of ${name}`, then.threads, now.threads, 0);
    more(`sockets of ${name}`, then.sockets, now.sockets, 0);
    more(`descriptors of ${name}`, then.descriptors, now.descriptors, MOMENTARY);
  }
  const sas = SAS_PER_SESSION * to.sessions;
  for (const [name, keys] of Object.entries(to.keys)) {
    // A user's address waits for him for a while.
    const allowed = name.endsWith('_leases') ? USERS.length : Math.max(from.keys[name] ?? 0, sas);
    more(`keys of ${name}`, allowed, keys, 0);
  }
  more('consumers', from.consumers, to.consumers, LINGERING_CONSUMERS);
  more('engine SAs', Math.max(from.engineSas, sas), to.engineSas, 0);
}

/** Memory is compared where everything has been used before, not with a gateway that has just started. */
function remembered(found: string[], warm: Census, end: Census): void {
  for (const [name, then] of Object.entries(warm.processes)) {
    const grew = (end.processes[name]?.residentOctets ?? 0) - then.residentOctets;
    const allowed = name === 'nats' ? NATS_BREATH_OCTETS : BREATH_OCTETS;
    if (grew > allowed) found.push(`memory of ${name} grew by ${Math.round(grew / (1 << 20))} MiB`);
  }
}
