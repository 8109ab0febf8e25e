import { execFileSync, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseConfig } from '@culvert/config';
import {
  buckets,
  type Flow,
  type ForwardEntry,
  type IkePacket,
  recordKey,
  shardOfHex,
  subjects,
} from '@culvert/contracts';
import { systemClock } from '@culvert/host';
import { hex, toHex } from '@culvert/wire';
import { parseAddress } from '@culvert/wire/ip';
import { createEdgeService } from '../../services/edge/index.ts';
import { BATCH_MAX, native } from '../../services/edge/native/index.ts';
import {
  callEntry,
  linkEntry,
  packet4,
  packet6,
  saEntry,
  testClient,
} from '../../services/edge/pipeline/session-fixture.ts';
import { encodeRecord, sealForward, sealState } from '../../shared/host/record.ts';
import { createWorld, type SimRuntime, simRuntime } from '../sim/index.ts';
import { newBatch, SLOT_OCTETS, socketOutbox } from './batch.ts';

/**
 * Run by worker-plane.test.ts in a network namespace of its own: the whole edge with real sockets, tun,
 * threads, routes and rules; only the bus is in memory. Prints what it saw as JSON.
 */
const [stateDir, workersText, snatText] = process.argv.slice(2);
const workers = Number(workersText);
const snat = snatText === 'snat';
const EXPIRES = 4e12;
const SECONDS_MAX = 20;

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });

/** A second namespace, held by a sleeping process: the corporate host at 192.0.2.80. */
const corporate = spawn('unshare', ['--net', 'sleep', String(SECONDS_MAX * 2)]);
await pause(200);
const inCorporate = (...args: string[]) =>
  execFileSync('nsenter', ['-t', String(corporate.pid), '-n', ...args], { encoding: 'utf8' });

ip('link', 'set', 'lo', 'up');
ip('addr', 'add', '203.0.113.5/32', 'dev', 'lo');
ip('link', 'add', 'corp0', 'type', 'veth', 'peer', 'name', 'host0');
ip('link', 'set', 'host0', 'netns', String(corporate.pid));
ip('addr', 'add', '192.0.2.1/24', 'dev', 'corp0');
ip('addr', 'add', '2001:db8:80::f/64', 'dev', 'corp0', 'nodad');
ip('link', 'set', 'corp0', 'up');
inCorporate('ip', 'link', 'set', 'lo', 'up');
inCorporate('ip', 'addr', 'add', '192.0.2.80/24', 'dev', 'host0');
inCorporate('ip', 'addr', 'add', '2001:db8:80::1/64', 'dev', 'host0', 'nodad');
inCorporate('ip', 'link', 'set', 'host0', 'up');
if (!snat) inCorporate('ip', 'route', 'add', '10.99.0.0/16', 'via', '192.0.2.1');
inCorporate('ip', '-6', 'route', 'add', '2001:db8:99::/48', 'via', '2001:db8:80::f');

// A network outside, where nobody is a client; and a machine that was no router before us.
ip('link', 'add', 'outer0', 'type', 'veth', 'peer', 'name', 'nobody0');
ip('link', 'set', 'nobody0', 'up');
ip('addr', 'add', '198.18.0.1/24', 'dev', 'outer0');
ip('link', 'set', 'outer0', 'up');
inCorporate('ip', 'route', 'add', '198.18.0.0/24', 'via', '192.0.2.1');
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
writeFileSync(FORWARDING, '0');
if (workers > 1) {
  // An earlier start has turned it on and was killed.
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const before = { 'net.ipv4.ip_forward': '0' };
  writeFileSync(join(stateDir ?? '', 'edge-kernel-settings.json'), JSON.stringify({ boot, before }));
  writeFileSync(FORWARDING, '1');
}

const config = parseConfig(
  `
node: gw1
stateDir: ${stateDir}
listen: [{ name: main, addresses: ["127.0.0.1", "::1"] }]
psks: [{ name: office, secret: "J3v9-wQx7_2mNbR5tYp8LkHs4Df6GcVz1AqWeUiOn" }]
pool: { ipv4: 10.99.0.0/16, ipv6: "2001:db8:99::/48" }
edge: { workers: ${workers}, tun: cvtest0, snat: ${snat} }
`,
  '/nonexistent',
);
const world = createWorld({ seed: 1 });
const pump = setInterval(() => void world.run(20), 20);
const sim = simRuntime('edge', world, config);
const stops: (() => Promise<void> | void)[] = [];
const other = simRuntime('ike', world, config);
await createEdgeService({ ...sim, clock: systemClock, onStop: (stop) => void stops.push(stop) }).start();
const ike: IkePacket[] = [];
other.bus.subscribe<IkePacket>(subjects.ike.packet('*'), ({ payload }) => ike.push(payload));

async function declare(by: SimRuntime, session: string, name: string, entries: readonly ForwardEntry[]) {
  const key = recordKey(shardOfHex(session), session);
  const bucket = await by.bus.bucket(name);
  const at = { bucket: name, key, epoch: 1 };
  const forward = sealForward(by.sealer, at, { entries }, undefined);
  await bucket.create(key, encodeRecord(at.epoch, sealState(by.sealer, at, {} as never), forward));
}

/** A client on its own port: SA, call and link, keys from the fixture. */
async function connect(index: number, encapsulation: 'udp' | 'none', over?: Flow) {
  const session = `014000000000000${index}`;
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '203.0.113.5', resolve));
  const remote = { address: '203.0.113.5', port: socket.address().port };
  const sa = saEntry({
    session,
    inboundSpi: 0x0140_0100 + index,
    outboundSpi: 0x9000_0000 + index,
    encapsulation,
    expiresAt: EXPIRES,
    flow: over ?? { local: { address: '127.0.0.1', port: 4500 }, remote },
  });
  const address = `10.99.0.${10 + index}`;
  const prefix = `2001:db8:99:${index}::`;
  await declare(other, session, buckets.ppp, [
    linkEntry({
      session,
      ipv4: { address },
      ipv6: { prefix, prefixLength: 64, interfaceId: hex('0200000000000001') },
    }),
  ]);
  await declare(other, session, buckets.l2tp, [callEntry({ session })]);
  await declare(other, session, buckets.ike, [sa]);
  return { socket, client: testClient(sa), address, inside6: `${prefix}1` };
}

function octetsOf(text: string): Uint8Array {
  const address = parseAddress(text);
  return address.ok ? address.value : new Uint8Array(16);
}

function nextDatagram(socket: Socket, waitMs = 3_000): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), waitMs);
    socket.once('message', (octets) => {
      clearTimeout(timer);
      resolve(new Uint8Array(octets));
    });
  });
}

/** A client without NAT: bare ESP from 203.0.113.5, on a raw socket of its own. */
async function askedRaw(packet: Uint8Array): Promise<string> {
  const io = native();
  const raw = io.openRawEsp(false, 1, 0);
  const { client } = await connect(4, 'none');
  await pause(300);
  const box = newBatch();
  const flow = { local: octetsOf('203.0.113.5'), localPort: 0, remote: octetsOf('127.0.0.1'), remotePort: 0 };
  const outbox = socketOutbox(io, raw, () => {});
  outbox.add(client.user(packet), flow);
  outbox.flush();
  for (let turn = 0; turn < 30; turn += 1) {
    await pause(50);
    const count = io.receiveBatch(raw, box.buffer, SLOT_OCTETS, box.rows, BATCH_MAX);
    for (let row = 0; row < count; row += 1) {
      const octets = box.octets(row).slice();
      // Both directions pass this loopback: ours has the gateway's SPI.
      if (octets[0] === 0x90) return toHex(client.frameOf(octets).information);
    }
  }
  return 'silence';
}

/** A client on IPv6, in UDP. */
async function askedOver6(packet: Uint8Array): Promise<string> {
  const socket = createSocket('udp6');
  await new Promise<void>((resolve) => socket.bind(0, '::1', resolve));
  const { port } = socket.address();
  const flow = { local: { address: '::1', port: 4500 }, remote: { address: '::1', port } };
  const { client } = await connect(5, 'udp', flow);
  await pause(300);
  const answer = nextDatagram(socket);
  socket.send(client.user(packet), 4500, '::1');
  const octets = await answer;
  socket.close();
  return octets === undefined ? 'silence' : toHex(client.frameOf(octets).information);
}

const echo4 = hex('0800f7fd00010001');
async function asked(peer: Awaited<ReturnType<typeof connect>>, packet: Uint8Array, waitMs?: number) {
  const answer = nextDatagram(peer.socket, waitMs);
  peer.socket.send(peer.client.user(packet), 4500, '127.0.0.1');
  const octets = await answer;
  return octets === undefined ? 'silence' : toHex(peer.client.frameOf(octets).information);
}

const peers = await Promise.all([1, 2, 3].map((index) => connect(index, 'udp')));
await pause(500);
const pings: string[] = [];
for (const peer of peers)
  pings.push(await asked(peer, packet4(peer.address, '192.0.2.80', echo4, { protocol: 1 })));
const first = peers[0] as (typeof peers)[number];
const bare = await askedRaw(packet4('10.99.0.14', '192.0.2.80', echo4, { protocol: 1 }));
const over6 = await askedOver6(packet4('10.99.0.15', '192.0.2.80', echo4, { protocol: 1 }));
const gateway = await asked(first, packet4(first.address, '192.0.2.1', echo4, { protocol: 1 }), 500);
const sixth = snat
  ? ''
  : await asked(first, packet6(first.inside6, '2001:db8:80::1', echo6(first.inside6), 58));

inCorporate('bash', '-c', 'echo past > /dev/udp/198.18.0.99/9');

const message = Uint8Array.of(...new Uint8Array(8).fill(9), ...new Uint8Array(20));
first.socket.send(message, 500, '127.0.0.1');
first.socket.send(Uint8Array.of(0, 0, 0, 0, ...message), 4500, '127.0.0.1');
await pause(500);
const packet = ike.at(-1);
if (packet !== undefined) {
  other.bus.publish(subjects.edge.ike('gw1'), { flow: packet.flow, nonEspMarker: true, octets: message });
}
const ikeAnswer = await nextDatagram(first.socket);

const rules = execFileSync('nft', ['list', 'table', 'inet', 'culvert_cvtest0'], { encoding: 'utf8' });
const forwarding = readFileSync(FORWARDING, 'utf8').trim();
const routes = ip('route', 'show', 'dev', 'cvtest0');
// The workers report once a second.
await pause(1_200);
for (const stop of stops.reverse()) await stop();
const after = {
  rules: execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }),
  links: ip('-o', 'link'),
  forwarding: readFileSync(FORWARDING, 'utf8').trim(),
  files: readdirSync(stateDir ?? ''),
  marks: readFileSync(join(stateDir ?? '', 'edge-marks')).length,
};
clearInterval(pump);
corporate.kill();
console.log(
  JSON.stringify({
    pings: [...pings, bare, over6],
    gateway,
    sixth,
    ike: ike.map(({ nonEspMarker, octets, listener }) => [nonEspMarker, octets.length, listener]),
    ikeAnswer: ikeAnswer && toHex(ikeAnswer),
    rules,
    forwarding,
    routes,
    after,
    counters: sim.telemetry.counters(),
    lines: sim.telemetry.lines.filter((line) => JSON.stringify(line).includes('error')),
  }),
);

process.exit(0);

/** RFC 4443 §4.1, with its checksum over the pseudo-header. */
function echo6(source: string): Uint8Array {
  const packet = packet6(source, '2001:db8:80::1', hex('8000000000010001'), 58);
  let sum = 58 + 8;
  for (let index = 8; index < packet.length; index += 2) {
    sum += ((packet[index] ?? 0) << 8) | (packet[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const body = packet.slice(40);
  body.set([(~sum >>> 8) & 0xff, ~sum & 0xff], 2);
  return body;
}
