/** A whole history out of a seed: what an engine is told and given, in order, with the time of each. */

import { mappedIpv4, type Prefix, parsePrefix } from '@culvert/wire/ip';
import type { EnginePolicy } from '../../services/edge/pipeline/index.ts';
import {
  address4,
  CORPORATE,
  foreign,
  GATEWAY4,
  LOCALS,
  octetsOf,
  POOLS,
  place,
  prefix6,
  within,
} from './addresses.ts';
import { type Dice, diceOf, type Weighted } from './dice.ts';
import { ipPacket } from './ip-packets.ts';
import { createOuterSource } from './outer-packets.ts';
import { type Client, createPopulation, type Past } from './population.ts';
import type { Step } from './step.ts';

export interface History {
  readonly seed: number;
  readonly policy: EnginePolicy;
  readonly past: readonly Past[];
  readonly replayWindow?: number;
  readonly steps: readonly Step[];
}

type Kind =
  | 'flood'
  | 'outer'
  | 'inner'
  | 'l2tp'
  | 'ppp'
  | 'grant'
  | 'happening'
  | 'policy'
  | 'tick'
  | 'report'
  | 'unrouted';

const KINDS: readonly Weighted<Kind>[] = [
  [760, 'outer'],
  [150, 'inner'],
  [8, 'l2tp'],
  [8, 'ppp'],
  [30, 'grant'],
  [20, 'happening'],
  [2, 'policy'],
  [8, 'tick'],
  [6, 'report'],
  [1, 'unrouted'],
  [0.2, 'flood'],
];

type Services = 'l2tp' | 'ppp' | 'tick' | 'report' | 'unrouted';

const START = 2000;

export function historyOf(seed: number, length: number): History {
  const dice = diceOf(seed);
  const population = createPopulation(dice);
  const outer = createOuterSource(dice, population.clients);
  const policy = policyFor(dice);
  let at = START;
  const steps: Step[] = population.arrivals(at);
  while (steps.length < length) {
    at += passed(dice);
    const client = dice.pick(population.clients);
    const kind = dice.weighted(KINDS);
    if (kind === 'outer') steps.push({ kind, ...outer.next(), at });
    else if (kind === 'flood')
      for (const packet of outer.flood()) steps.push({ kind: 'outer', ...packet, at });
    else if (kind === 'inner') steps.push({ kind, ...tunPacket(dice, client), at });
    else if (kind === 'happening') steps.push(...population.happening(at));
    else if (kind === 'policy') steps.push({ kind, policy: policyFor(dice), at });
    else if (kind === 'grant') {
      const sa = client.sas.length > 0 ? dice.pick(client.sas) : undefined;
      if (sa !== undefined) steps.push(...population.grants(client, sa, at));
    } else steps.push(fromServices(dice, client, kind, at));
  }
  const windows = [undefined, undefined, 64, 65, 96, 128, 1024, 65_536] as const;
  const replayWindow = dice.pick(windows);
  return { seed, policy, past: population.past, steps, ...(replayWindow && { replayWindow }) };
}

/** Mostly a moment; sometimes long enough for buckets to fill and for what waits to be let go; once back. */
function passed(dice: Dice): number {
  if (dice.happens(0.5)) return 0;
  const kind = dice.next();
  if (kind < 0.97) return dice.below(4);
  if (kind < 0.99) return dice.below(300);
  return dice.pick([1000, 2000, 2001, 5000, -1, -50]);
}

function fromServices(dice: Dice, client: Client, kind: Services, at: number): Step {
  const session = dice.happens(0.97) ? client.identity.session : '0000000000000000';
  switch (kind) {
    case 'l2tp': {
      const innerPorts = { local: 1701, remote: dice.pick([1701, 1701, 49_152]) };
      return { kind, datagram: { session, innerPorts, octets: dice.filler(dice.below(120)) }, at };
    }
    case 'ppp': {
      const call = dice.pick([12, 12, 12, 13, 0, 99]);
      const octets = dice.filler(dice.happens(0.05) ? dice.below(3) : dice.between(2, 60));
      octets.set(
        dice
          .pick([
            [0xc0, 0x21],
            [0x80, 0x21],
            [0, 0x57],
            [0xc2, 0x23],
          ])
          .slice(0, octets.length),
      );
      return { kind, frame: { session, call, octets }, at };
    }
    case 'report':
      return dice.happens(0.5) ? { kind, session, at } : { kind: 'reports', at };
    case 'unrouted':
      return { kind, at };
    default:
      return { kind: 'tick', at };
  }
}

/** A packet that the machine routed into the tun: mostly for a client, of any size. */
function tunPacket(dice: Dice, client: Client): { label: string; packet: Uint8Array } {
  const family = dice.happens(0.6) ? 4 : 6;
  const source = dice.happens(0.9) ? place(dice, family) : foreign(dice, family);
  const { destination, label } = tunDestination(dice, client, family);
  const packet = ipPacket(dice, { source, destination }, dice.happens(0.995) ? 2000 : 9000);
  return { label, packet: dice.happens(0.01) ? dice.filler(dice.below(50)) : packet };
}

function tunDestination(dice: Dice, client: Client, family: 4 | 6) {
  if (dice.happens(0.06)) return { destination: place(dice, family), label: 'anywhere' };
  const link = client.links.length > 0 ? dice.pick(client.links) : undefined;
  const { routes, ipv4, ipv6 } = link ?? {};
  if (routes !== undefined && routes.length > 0 && dice.happens(0.4)) {
    const destination = within(dice, dice.pick(routes));
    if (destination.length === (family === 4 ? 4 : 16)) return { destination, label: 'behind a client' };
  }
  if (family === 4) return { destination: octetsOf(ipv4?.address ?? address4(0)), label: 'client' };
  return { destination: within(dice, `${ipv6?.prefix ?? prefix6(0)}/64`), label: 'client' };
}

function prefixes(texts: readonly string[]): Prefix[] {
  return texts.map((text) => {
    const read = parsePrefix(text);
    if (!read.ok) throw new Error(text);
    return read.value;
  });
}

function policyFor(dice: Dice): EnginePolicy {
  const mapped = (text: string) => {
    const octets = octetsOf(text);
    return Buffer.from(octets.length === 4 ? mappedIpv4(octets) : octets).toString('hex');
  };
  return {
    localAddresses: new Set(LOCALS.map(mapped)),
    pools: prefixes(POOLS),
    corporate: dice.happens(0.3) ? prefixes(CORPORATE) : [],
    clientToClient: dice.happens(0.3),
    outerMtu: dice.pick([1500, 1500, 1500, 1400, 1280, 576]),
    ...(dice.happens(0.85) && { gateway4: octetsOf(GATEWAY4) }),
  };
}
