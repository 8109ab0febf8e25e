/**
 * Random runs of the whole gateway: clients of all kinds come, talk, rekey, leave and vanish while links,
 * messages, storage and processes fail. What must always hold is looked at all the time; when the faults
 * stop, everybody gets in again within a bounded time; when everybody has left, nothing is left.
 *
 * CULVERT_SOAK_SEEDS: how many runs; CULVERT_SEED: one run, and its seed.
 */
import { describe, test } from 'vitest';
import { type Hostile, hostileClient } from '../fuzz/hostile-client.ts';
import { outsider } from '../fuzz/outsider.ts';
import { macos, modern, networkManager, type PeerProfile, windows10 } from '../peer/profile.ts';
import { simClient } from '../scenario/dial-in.ts';
import { DEFAULTS, PASSWORD, type SimGateway, simGateway } from '../scenario/gateway.ts';
import { type Chance, createWorld, type World } from '../sim/index.ts';
import { type Chaos, chaosIn } from './chaos.ts';
import {
  type Citizen,
  CORPORATE,
  citizen,
  innerAddress,
  markedPacket,
  outcome,
  ping,
  settled,
  within,
} from './citizen.ts';
import { type Watch, watch } from './watch.ts';

const { CULVERT_SOAK_SEEDS, CULVERT_SEED } = process.env;
const SEEDS =
  CULVERT_SEED !== undefined
    ? 1
    : CULVERT_SOAK_SEEDS === undefined
      ? 6
      : Number.parseInt(CULVERT_SOAK_SEEDS, 10);
const FIRST_SEED =
  CULVERT_SEED !== undefined
    ? Number.parseInt(CULVERT_SEED, 10) >>> 0
    : CULVERT_SOAK_SEEDS === undefined
      ? 1
      : Math.floor(Math.random() * 2 ** 31);
const TIMEOUT_MS =
  CULVERT_SOAK_SEEDS === undefined && CULVERT_SEED === undefined ? 120_000 : 24 * 60 * 60_000;

const PROFILES: readonly PeerProfile[] = [modern, modern, windows10, macos, networkManager];
const ADDRESSES = ['10.1.1.2', '10.1.1.3', '10.1.2.2', '198.51.100.21', '198.51.100.22'];
/** Things that happen in the phase of chaos. */
const HAPPENINGS = 80;
/** When the faults stop: retransmissions, deadlines of half-dead sessions and locks on logins run out within it. */
const RECOVERY_MS = 60_000;
/** The longest that anything is kept of a client that is gone. */
const FORGOTTEN_MS = 30 * 60_000;

interface Town {
  readonly world: World;
  readonly gateway: SimGateway;
  readonly guard: Watch;
  readonly chance: Chance;
  readonly chaos: Chaos;
  /** By address; undefined: nobody is there. */
  readonly clients: Map<string, Citizen>;
  readonly diary: string[];
}

const USERS = ['alice', 'bob'];
const CONFIG = DEFAULTS.replace(
  'users: [',
  `users: [{ name: bob, password: "${PASSWORD}" }, { name: mallory, password: "${PASSWORD}" }, `,
).replace('pool: { ipv4: 10.98.0.0/22 }', 'pool: { ipv4: 10.98.0.0/22, ipv6: "2001:db8:98::/48" }');
const HOSTILE = '198.51.100.66';
const OUTSIDER = '203.0.113.66';

const choice = <T>(chance: Chance, from: readonly T[]): T => from[chance.below(from.length)] as T;

async function townOf(seed: number): Promise<Town> {
  const world = createWorld({ seed });
  const chance = world.chance.fork('soak');
  const gateway = await simGateway(world, CONFIG);
  world.network.nat('198.51.100.9', ['10.1.1.2', '10.1.1.3']);
  world.network.nat('198.51.100.10', ['10.1.2.2']);
  const chaos = chaosIn(world, gateway, chance.fork('chaos'));
  return {
    world,
    gateway,
    guard: watch(world, gateway),
    chance,
    chaos,
    clients: new Map(),
    diary: [],
  };
}

function note({ world, diary }: Town, what: string): void {
  diary.push(`${Math.round(world.clock.elapsed())} ms ${what}`);
}

/** Somebody at this address begins anew, whatever was there before. */
function arrive(town: Town, address: string): Citizen {
  const { world, guard, chance, clients } = town;
  depart(town, address);
  const profile = choice(chance, PROFILES);
  const one = citizen(world, simClient(world, { address, profile, user: choice(chance, USERS) }));
  note(town, `${address} dials as ${profile.name}`);
  guard.note(one);
  one.sim.client.dial();
  clients.set(address, one);
  return one;
}

function depart(town: Town, address: string): void {
  const one = town.clients.get(address);
  if (one === undefined) return;
  if (one.sim.client.ended === undefined) note(town, `${address} vanishes, was ${outcome(one.sim)}`);
  one.sim.client.vanish();
  one.sim.close();
  town.clients.delete(address);
}

async function hangUp(town: Town, address: string): Promise<void> {
  const one = town.clients.get(address);
  if (one === undefined) return;
  note(town, `${address} hangs up, was ${outcome(one.sim)}`);
  one.sim.client.hangUp();
  await town.world.run(400);
  depart(town, address);
}

/** One thing that a client does. */
async function live(town: Town): Promise<void> {
  const { chance, clients, world, gateway } = town;
  const address = choice(chance, ADDRESSES);
  const one = clients.get(address);
  if (one === undefined || one.sim.client.ended !== undefined || one.sim.client.ike.stage === 'failed') {
    arrive(town, address);
    return;
  }
  const { client } = one.sim;
  const ours = innerAddress(one);
  switch (chance.below(8)) {
    case 0:
      return hangUp(town, address);
    case 1:
      return depart(town, address);
    case 2:
      note(town, `${address} rekeys its IPsec SA`);
      if (client.up)
        world.clock.hold(client.ike.quickMode()).catch((error: unknown) => one.sim.faults.push(error));
      return;
    case 3:
      note(town, `${address} rekeys its ISAKMP SA`);
      if (client.up) client.ike.connect();
      return;
    default:
      if (ours === undefined) return;
      client.sendPacket(markedPacket(one, ours, CORPORATE));
      gateway.plane.inner(markedPacket(one, CORPORATE, ours));
  }
}

/** In half of the runs a client without manners is about, and one without keys. */
function underworld({ world, guard, chance }: Town): { act(): void; end(): void } {
  if (chance.happens(0.5)) return { act: () => {}, end: () => {} };
  const stranger = outsider(world, OUTSIDER, () => [], chance);
  const dial = (): Hostile => {
    const aims = { clear: 0.02, chain: 0.1, control: 0.1, frame: 0.1 };
    const options = { address: HOSTILE, profile: choice(chance, PROFILES), user: 'mallory' };
    const hostile = hostileClient(world, options, aims, chance);
    guard.note(hostile.one);
    hostile.one.sim.client.dial();
    return hostile;
  };
  let hostile = dial();
  const leave = () => {
    hostile.one.sim.client.vanish();
    hostile.one.sim.close();
  };
  return {
    act() {
      const { client } = hostile.one.sim;
      if (chance.happens(0.5)) stranger.act();
      if (client.ended !== undefined || client.ike.stage === 'failed' || chance.happens(0.03)) {
        leave();
        hostile = dial();
      } else if (client.up) for (let count = chance.below(6); count > 0; count -= 1) hostile.act();
    },
    end() {
      leave();
      stranger.close();
    },
  };
}

async function run(town: Town): Promise<void> {
  const { world, gateway, guard, chance, chaos, clients } = town;
  const crime = underworld(town);
  for (const address of ADDRESSES.slice(0, 3)) arrive(town, address);
  await world.run(5_000);
  for (let happening = 0; happening < HAPPENINGS; happening += 1) {
    if (chance.happens(0.3)) await chaos.turn();
    await live(town);
    crime.act();
    await world.run(chance.happens(0.85) ? chance.below(3_000) : chance.below(60_000));
    if (happening % 10 === 9) guard.check();
  }
  crime.end();
  await chaos.end();
  await world.run(RECOVERY_MS);
  guard.check();
  await guard.checkAddresses();
  for (const address of ADDRESSES) {
    const one = arrive(town, address);
    await within(
      world,
      () => settled(one.sim),
      `${address}: no end to its dialling: ${outcome(one.sim)}`,
      60_000,
    );
    if (!one.sim.client.up) throw new Error(`${address} does not get in: ${outcome(one.sim)}`);
  }
  for (const one of clients.values()) await ping(world, gateway, one);
  await guard.checkAddresses();
  for (const address of ADDRESSES) await hangUp(town, address);
  await guard.awaitNothingLeft(FORGOTTEN_MS);
  guard.check();
}

describe('random runs of the whole gateway', () => {
  test.each(Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index))(
    'seed %i',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      const town = await townOf(seed);
      try {
        await run(town);
      } catch (error) {
        const story = [...town.diary, ...town.chaos.diary].sort(
          (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10),
        );
        const repeat = `repeat with CULVERT_SEED=${seed}`;
        throw new Error(`seed ${seed} (${repeat})\n${story.slice(-40).join('\n')}`, { cause: error });
      }
    },
  );
});
