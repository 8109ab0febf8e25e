import { createHash } from 'node:crypto';
import { buckets, type SessionSummary, subjects } from '@culvert/contracts';
import { toHex, u32 } from '@culvert/wire';
import { GATEWAY, type SimGateway } from '../scenario/gateway.ts';
import { type Datagram, simProcess, type World } from '../sim/index.ts';
import { type Citizen, carriesMark, innerAddress } from './citizen.ts';

/** What must hold at any moment of any run, and at its end (charter: INV-3, 4, 5, 9, 10 and the promise). */
export interface Watch {
  /** From now on its packets are looked at. */
  note(one: Citizen): void;
  /** An address that never proves that it receives what is sent to it. */
  noteOutsider(address: string): void;
  /** Throws when something that must always hold does not. */
  check(): void;
  /** INV-5, by what the services say; the bus has to work. */
  checkAddresses(): Promise<void>;
  /** INV-9: nobody is there any more, and within this time nothing of them. */
  awaitNothingLeft(limitMs: number): Promise<void>;
}

interface Log {
  readonly level: string;
  readonly message: string;
}

const SESSION_BUCKETS = [buckets.ike, buckets.l2tp, buckets.ppp, buckets.leases, buckets.sequences];
const ASK_MS = 2_000;
const LOOK_MS = 30_000;
const NAT_TRAVERSAL = 4500;
const IV_OCTETS = 8;

export function watch(world: World, gateway: SimGateway): Watch {
  const citizens: Citizen[] = [];
  const problems: string[] = [];
  const esp = espWatch(problems);
  const outsiders = new Map<string, { sent: number; got: number }>();
  const observer = simProcess('observer', world);
  let corporateSeen = 0;
  world.network.tap((datagram) => {
    if (datagram.from.address === GATEWAY) esp(datagram);
    const sender = outsiders.get(datagram.from.address);
    if (sender !== undefined) sender.sent += datagram.octets.length;
    const receiver = outsiders.get(datagram.to.address);
    if (receiver !== undefined) receiver.got += datagram.octets.length;
  });
  const ask = async <T>(subject: string): Promise<T> =>
    (await world.promised(observer.bus.request(subject, {}, { timeoutMs: ASK_MS }))) as T;
  const left = async () => {
    const remains = SESSION_BUCKETS.flatMap((name) =>
      [...world.broker.store(name).entries.values()]
        .filter(({ value }) => value !== undefined)
        .map(({ key }) => `${name}/${key}`),
    );
    for (const service of ['ike', 'l2tp', 'ppp'] as const) {
      const sessions = await ask<readonly SessionSummary[]>(subjects.admin.sessions(service));
      remains.push(...sessions.map((summary) => JSON.stringify(summary)));
    }
    return remains;
  };
  return {
    note: (one) => void citizens.push(one),
    noteOutsider: (address) => void outsiders.set(address, { sent: 0, got: 0 }),
    check() {
      corporateSeen = checkCorporate(gateway, citizens, corporateSeen, problems);
      for (const one of citizens) checkCitizen(one, citizens, problems);
      for (const [address, { sent, got }] of outsiders)
        if (got > sent) problems.push(`${got} octets went to ${address}, which sent ${sent}`);
      for (const [name, value] of Object.entries(gateway.counters()))
        if (name.includes('quarantined') && value > 0) problems.push(`${name}: ${value}`);
      for (const fault of world.broker.faults)
        if (!isRefusal(fault)) problems.push(`a handler threw: ${String(fault)}`);
      const errors = linesOf(gateway).filter(({ level }) => level === 'error');
      problems.push(...errors.map((line) => JSON.stringify(line)));
      if (problems.length > 0) throw new Error(told(problems));
    },
    async checkAddresses() {
      const sessions = await ask<readonly SessionSummary[]>(subjects.admin.sessions('ppp'));
      // A link may have one family alone.
      const open = sessions
        .flatMap(({ facts }) => (facts.open === true ? [facts.address, facts.prefix] : []))
        .filter((address) => address !== undefined);
      if (new Set(open).size !== open.length) throw new Error(`an address twice: ${open.join(' ')}`);
    },
    async awaitNothingLeft(limitMs) {
      for (let waited = 0; ; waited += LOOK_MS) {
        const remains = await left();
        if (remains.length === 0) return;
        if (waited >= limitMs) throw new Error(`left behind: ${remains.join('\n')}`);
        await world.run(LOOK_MS);
      }
    },
  };
}

/** A request that meets a session's new owner, or a host that stops, fails on purpose: the asker repeats it. */
function isRefusal(fault: unknown): boolean {
  return fault instanceof Error && (fault.name === 'Fenced' || fault.name === 'Stopped');
}

/** The first is usually the cause of the rest. */
function told(problems: readonly string[]): string {
  const shown = problems.slice(0, 4).map((problem) => problem.slice(0, 1_500));
  return [`${problems.length} things that must not be`, ...shown].join('\n');
}

function linesOf(gateway: SimGateway): readonly Log[] {
  return gateway.lines().map((line) => JSON.parse(line) as Log);
}

/** INV-10 outwards, and no spoofing: a marked packet comes from an address of the client with that mark. */
function checkCorporate(
  gateway: SimGateway,
  citizens: readonly Citizen[],
  from: number,
  problems: string[],
): number {
  for (const one of citizens) innerAddress(one);
  for (const packet of gateway.corporate.slice(from)) {
    const source = packet.subarray(12, 16).join('.');
    const owner = citizens.find(({ mark }) => carriesMark(packet, mark));
    if (owner !== undefined && !owner.addresses.has(source))
      problems.push(`a packet of ${owner.sim.address} came out with source ${source}: ${toHex(packet)}`);
  }
  return gateway.corporate.length;
}

/**
 * INV-10 inwards: what comes out of a tunnel was meant for an address of its client, whoever's mark it
 * carries: an address may have changed hands without its old client's knowing. And an honest client's own code met nothing that no gateway may say.
 */
function checkCitizen(one: Citizen, citizens: readonly Citizen[], problems: string[]): void {
  for (const packet of one.sim.packets.splice(0)) {
    const owner = citizens.find(({ mark }) => carriesMark(packet, mark));
    if (owner !== undefined && owner !== one && !one.addresses.has(packet.subarray(16, 20).join('.')))
      problems.push(`${one.sim.address} got a packet of ${owner.sim.address}: ${toHex(packet)}`);
  }
  if (one.honest) problems.push(...one.sim.faults.map((fault) => `${one.sim.address}: ${String(fault)}`));
}

/** INV-3 and INV-4 as seen on the wire: of one SA no IV and no sequence number with two contents. */
function espWatch(problems: string[]): (datagram: Datagram) => void {
  const seen = new Map<string, string>();
  const once = (key: string, content: string) => {
    const before = seen.get(key);
    if (before !== undefined && before !== content) problems.push(`ESP: ${key} with two contents`);
    seen.set(key, content);
  };
  return ({ from, octets }) => {
    const esp = from.port === 0 || (from.port === NAT_TRAVERSAL && octets.length > 4 && u32(octets) !== 0);
    if (!esp || octets.length < 8 + IV_OCTETS) return;
    const content = createHash('sha256').update(octets).digest('base64');
    const spi = u32(octets).toString(16);
    once(`SPI ${spi} sequence ${u32(octets, 4)}`, content);
    once(`SPI ${spi} IV ${toHex(octets.subarray(8, 8 + IV_OCTETS))}`, content);
  };
}
