import { encodeDeclaration } from './engine/index.ts';
import { AT, type Client, clientOf, createRig } from './rig.fixture.ts';

const FIRST = 200;
const PART = 5_000;

export interface Occupied {
  /** Of an SA pair with its session, call and link; counters in shared memory are apart. */
  readonly octets: number;
  /** To declare one, as there are more and more. */
  readonly milliseconds: readonly number[];
  readonly sessions: number;
}

/** Declares so many sessions to an engine. */
export function occupied(sessions: number): Occupied {
  const rig = createRig({ sessionsMax: sessions + 1, sasMax: sessions + 1 });
  // Shared memory is there anyway.
  new Uint8Array(rig.memory).fill(0);
  const bare = clientOf(0xffff);
  const octets = encodeDeclaration(
    { session: bare.session, bucket: 'b', entries: bare.entries },
    0,
    () => undefined,
  );
  const declare = numbered(octets, bare);
  for (let number = 1; number <= FIRST; number += 1) rig.engine.declare(declare(number), AT);
  rig.engine.takeRecords();
  const before = process.memoryUsage.rss();
  const milliseconds: number[] = [];
  for (let from = FIRST; from < sessions; from += PART) {
    const start = performance.now();
    const to = Math.min(from + PART, sessions);
    for (let number = from + 1; number <= to; number += 1) rig.engine.declare(declare(number), AT);
    rig.engine.takeRecords();
    milliseconds.push((performance.now() - start) / (to - from));
  }
  const each = (process.memoryUsage.rss() - before) / (sessions - FIRST);
  return { octets: each, milliseconds, sessions: rig.account.marks().size };
}

/** One declaration's octets again and again, with other numbers in them: no memory of JavaScript's is made. */
function numbered(octets: Uint8Array, bare: Client): (number: number) => Uint8Array {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const placesOf = (value: number) => {
    const found: number[] = [];
    for (let at = 0; at + 4 <= octets.length; at += 1) if (view.getUint32(at) === value) found.push(at);
    return found;
  };
  const places = [bare.sa.inboundSpi, bare.sa.outboundSpi].map((value) => placesOf(value)[0] ?? 0);
  const [inbound = 0, outbound = 0] = places;
  // 10.0.255.255 behind the mapped prefix, and 2001:db8:ffff::/64.
  const [ipv4 = 0] = placesOf(0x0a00_ffff);
  const [ipv6 = 0] = placesOf(0x2001_0db8);
  return (number) => {
    view.setUint32(4, number);
    view.setUint32(inbound, bare.sa.inboundSpi + number);
    view.setUint32(outbound, bare.sa.outboundSpi + number);
    view.setUint32(ipv4, 0x0a01_0000 + number);
    view.setUint32(ipv6 + 4, number);
    return octets;
  };
}
