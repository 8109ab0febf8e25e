import { describe, test } from 'vitest';
import { macos, modern, networkManager, type PeerProfile, windows10 } from '../peer/profile.ts';
import { type SimClient, simClient } from '../scenario/dial-in.ts';
import { DEFAULTS, type SimGateway, simGateway } from '../scenario/gateway.ts';
import { type Chance, createWorld, type SimSocket, type World } from '../sim/index.ts';
import { type Citizen, citizen, outcome, ping, settled, within } from '../soak/citizen.ts';
import { type Watch, watch } from '../soak/watch.ts';
import { type Aims, type Hostile, hostileClient } from './hostile-client.ts';
import { type Outsider, outsider } from './outsider.ts';
import { FUZZ_TIMEOUT_MS, roundsOf, SEED } from './run.ts';

const CONFIG = DEFAULTS.replace(
  'users: [',
  'users: [{ name: mallory, password: "mallory has one too" }, ',
).replace('pool: { ipv4: 10.98.0.0/22 }', 'pool: { ipv4: 10.98.0.0/22, ipv6: "2001:db8:98::/48" }');
const PROFILES: readonly PeerProfile[] = [modern, windows10, macos, networkManager];
const HOSTILE = '198.51.100.66';
const OUTSIDER = '203.0.113.66';
const INNOCENT = '10.1.1.2';
/** Acts of one run. */
const ACTS = 400;
const RUNS_PER_ROUND = 1 / 500;
/** The longest that anything is kept of a client that is gone: liveness checks, quarantine of its address. */
const FORGOTTEN_MS = 25 * 60_000;

/** A given seed is that of one run: every world takes it from the environment. */
const SEEDS =
  process.env.CULVERT_SEED === undefined
    ? Array.from({ length: roundsOf(RUNS_PER_ROUND) }, (_, index) => SEED + index)
    : [SEED];

interface Scene {
  readonly world: World;
  readonly gateway: SimGateway;
  readonly guard: Watch;
  readonly chance: Chance;
}

const choice = <T>(chance: Chance, from: readonly T[]): T => from[chance.below(from.length)] as T;

/** Some runs leave the set-up alone and begin inside; others never get there. */
function aimsOf(chance: Chance): Aims {
  const often = () => (chance.happens(0.5) ? 0 : chance.next() * 0.3);
  return { clear: often(), chain: often(), control: often(), frame: often() };
}

async function run(seed: number): Promise<void> {
  const world = createWorld({ seed });
  const chance = world.chance.fork('hostile');
  const sockets: SimSocket[] = [];
  const { bind } = world.network;
  world.network.bind = (local, receive) => {
    const socket = bind(local, receive);
    sockets.push(socket);
    return socket;
  };
  const gateway = await simGateway(world, CONFIG);
  const guard = watch(world, gateway);
  const scene = { world, gateway, guard, chance };
  world.network.nat('198.51.100.9', [INNOCENT]);
  const innocent = citizen(world, simClient(world, { address: INNOCENT, profile: choice(chance, PROFILES) }));
  guard.note(innocent);
  await dialled(scene, innocent);
  guard.noteOutsider(OUTSIDER);
  const clients = () =>
    sockets.filter(({ local }) => local.address === INNOCENT || local.address === HOSTILE);
  const stranger = outsider(world, OUTSIDER, clients, chance);
  await assault(scene, innocent, stranger);
  await peace(scene, innocent, stranger);
}

async function dialled({ world }: Scene, one: Citizen): Promise<void> {
  one.sim.client.dial();
  await within(world, () => settled(one.sim), `${one.sim.address}: ${outcome(one.sim)}`, 60_000);
  if (!one.sim.client.up) throw new Error(`${one.sim.address} did not get in: ${outcome(one.sim)}`);
}

async function assault(scene: Scene, innocent: Citizen, stranger: Outsider): Promise<void> {
  const { world, gateway, guard, chance } = scene;
  let hostile = begin(scene);
  for (let act = 0; act < ACTS; act += 1) {
    // Before it is in, most acts would only spoil its own set-up.
    if (chance.happens(hostile.one.sim.client.up ? 0.9 : 0.15)) hostile.act();
    if (chance.happens(0.3)) stranger.act();
    await world.run(chance.happens(0.9) ? chance.below(60) : chance.below(4_000));
    if (isOver(hostile.one.sim) || chance.happens(0.01)) {
      leave(hostile, chance);
      await world.run(500);
      hostile.one.sim.close();
      hostile = begin(scene);
    }
    if (act % 40 === 39) {
      guard.check();
      await ping(world, gateway, innocent);
    }
  }
  leave(hostile, chance);
  await world.run(500);
  hostile.one.sim.close();
}

function begin({ world, guard, chance }: Scene): Hostile {
  const options = {
    address: HOSTILE,
    profile: choice(chance, PROFILES),
    user: 'mallory',
    password: 'mallory has one too',
  };
  const hostile = hostileClient(world, options, aimsOf(chance), chance);
  guard.note(hostile.one);
  hostile.one.sim.client.dial();
  return hostile;
}

function isOver({ client }: SimClient): boolean {
  return client.ended !== undefined || client.ike.stage === 'failed';
}

function leave({ one }: Hostile, chance: Chance): void {
  if (chance.happens(0.5)) one.sim.client.hangUp();
  else one.sim.client.vanish();
}

/** The attack is over: the innocent is still there, others get in, and nothing stays of anybody. */
async function peace(scene: Scene, innocent: Citizen, stranger: Outsider): Promise<void> {
  const { world, gateway, guard } = scene;
  stranger.close();
  await ping(world, gateway, innocent);
  if (!innocent.sim.client.up) throw new Error(`the innocent one was cut off: ${outcome(innocent.sim)}`);
  await guard.checkAddresses();
  const newcomer = citizen(world, simClient(world, { address: '198.51.100.77' }));
  guard.note(newcomer);
  await dialled(scene, newcomer);
  await ping(world, gateway, newcomer);
  for (const one of [innocent, newcomer]) one.sim.client.hangUp();
  await guard.awaitNothingLeft(FORGOTTEN_MS);
  guard.check();
}

describe('a client with keys and bad intent, and one without', () => {
  test.each(SEEDS)('harm nobody, seed %i', { timeout: FUZZ_TIMEOUT_MS }, async (seed) => {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`repeat with CULVERT_SEED=${seed}`, { cause: error });
    }
  });
});
