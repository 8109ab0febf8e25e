import type { SimGateway } from '../scenario/gateway.ts';
import type { Chance, World } from '../sim/index.ts';

/** What goes wrong beside the clients: links, messages between services, storage, processes. */
export interface Chaos {
  /** Something new goes wrong, or something is put right. */
  turn(): Promise<void>;
  /** Everything is put right, for good. */
  end(): Promise<void>;
  /** What was done, in order, for the report of a failure. */
  readonly diary: readonly string[];
}

type Role = 'ike' | 'l2tp' | 'ppp' | 'aaa' | 'edge';
const ROLES: readonly Role[] = ['ike', 'l2tp', 'ppp', 'aaa', 'edge'];

/** A fault beyond this is no longer a bad network, it is none. */
const LOSS_MAX = 0.2;
const RESTART_PAUSE_MS = 4_000;

export function chaosIn(world: World, gateway: SimGateway, chance: Chance): Chaos {
  const diary: string[] = [];
  const { network, broker } = world;
  const note = (what: string) => diary.push(`${Math.round(world.clock.elapsed())} ms ${what}`);
  const links = () => {
    Object.assign(network.faults, {
      loss: chance.happens(0.5) ? 0 : chance.next() * LOSS_MAX,
      duplicate: chance.happens(0.5) ? 0 : chance.next() * 0.2,
      reorder: chance.happens(0.5) ? 0 : chance.below(5),
      delayMs: 1 + chance.below(120),
      natRebindEveryMs: chance.happens(0.7) ? 0 : 20_000 + chance.below(60_000),
    });
    note(`links ${JSON.stringify(network.faults)}`);
  };
  const messages = () => {
    broker.messages.loss = chance.happens(0.5) ? 0 : chance.next() * 0.1;
    broker.messages.answerLoss = chance.happens(0.5) ? 0 : chance.next() * 0.1;
    broker.messages.latencyMs = chance.below(20);
    note(`messages ${JSON.stringify(broker.messages)}`);
  };
  const storage = () => {
    const seldom = () => (chance.happens(0.6) ? 0 : chance.next() * 0.1);
    Object.assign(broker.storage, {
      unheardWrite: seldom(),
      lostWrite: seldom(),
      lateWrite: seldom(),
      duplicateWatch: seldom(),
      latencyMs: chance.below(20),
    });
    note(`storage ${JSON.stringify(broker.storage)}`);
  };
  const restart = async (role: Role) => {
    const how = chance.happens(0.3) ? 'drain' : 'crash';
    note(`${role}: ${how}`);
    await gateway.restart(role, how);
    note(`${role} is back`);
  };
  const outage = async () => {
    note('storage away');
    broker.storage.away = true;
    await world.run(chance.below(RESTART_PAUSE_MS));
    broker.storage.away = false;
    note('storage back');
  };
  const cut = async () => {
    const role = ROLES[chance.below(ROLES.length)] ?? 'ike';
    note(`${role} cut off`);
    const { bus } = gateway.runtimes[role];
    bus.cut();
    await world.run(chance.below(RESTART_PAUSE_MS));
    bus.heal();
    note(`${role} heard again`);
  };
  return {
    diary,
    async turn() {
      switch (chance.below(8)) {
        case 0:
        case 1:
          return links();
        case 2:
          return messages();
        case 3:
          return storage();
        case 4:
          return outage();
        case 5:
          return cut();
        default:
          return restart(ROLES[chance.below(ROLES.length)] ?? 'ike');
      }
    },
    async end() {
      Object.assign(network.faults, { loss: 0, duplicate: 0, reorder: 0, delayMs: 1, natRebindEveryMs: 0 });
      Object.assign(broker.messages, { loss: 0, answerLoss: 0, latencyMs: 0 });
      Object.assign(broker.storage, {
        away: false,
        unheardWrite: 0,
        lostWrite: 0,
        lateWrite: 0,
        duplicateWatch: 0,
        latencyMs: 0,
      });
      note('all is well');
    },
  };
}
