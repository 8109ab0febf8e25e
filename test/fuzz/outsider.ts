import { GATEWAY } from '../scenario/gateway.ts';
import type { Chance, Datagram, SimSocket, World } from '../sim/index.ts';
import { mutated } from './mutate.ts';

/** One without keys, who has heard everything. */
export interface Outsider {
  readonly address: string;
  /** Sends a few of the datagrams heard, as they were or changed, in any order, under any name. */
  act(): void;
  close(): void;
}

const HEARD_MAX = 400;
const PORTS = [500, 4500, 0] as const;

/** `names` are addresses of others whose name it can use: answers do not come back to it. */
export function outsider(
  world: World,
  address: string,
  names: () => readonly SimSocket[],
  chance: Chance,
): Outsider {
  const heard: Datagram[] = [];
  world.network.tap((datagram) => {
    if (heard.length < HEARD_MAX) heard.push(datagram);
    else heard[chance.below(HEARD_MAX)] = datagram;
  });
  const sockets = PORTS.map((port) => world.network.bind({ address, port }, () => {}));
  return {
    address,
    act() {
      for (let count = 1 + chance.below(6); count > 0; count -= 1) {
        const one = heard[chance.below(heard.length)];
        if (one === undefined) return;
        const octets = chance.happens(0.4) ? one.octets : mutated(chance, [one.octets]);
        const port = one.to.address === GATEWAY ? one.to.port : one.from.port;
        const own = sockets.find(({ local }) => local.port === port);
        const borrowed = names().filter(({ local }) => local.port === port);
        const socket = chance.happens(0.5) ? own : (borrowed[chance.below(borrowed.length)] ?? own);
        socket?.send({ address: GATEWAY, port }, octets.subarray(0, 9_000));
      }
    },
    close() {
      for (const socket of sockets) socket.close();
    },
  };
}
