import { parseConfig } from '@culvert/config';
import { type IkePacket, subjects } from '@culvert/contracts';
import { concat, hex } from '@culvert/wire';
import { expect, test } from 'vitest';
import { inWorld, simRuntime, type World } from '../../../test/sim/index.ts';
import { createDirectory } from './directory.ts';
import { createIkeFront } from './ike-front.ts';

const CONFIG = `
node: gw1
stateDir: /nonexistent/culvert
psks: [{ name: office, secret: "J3v9-wQx7_2mNbR5tYp8LkHs4Df6GcVz1AqWeUiOn" }]
`;
const NO_COOKIE = '0000000000000000';

function frontIn(world: World) {
  const runtime = simRuntime('edge', world, parseConfig(CONFIG, '/nonexistent'));
  const front = createIkeFront(runtime, createDirectory());
  const heard: string[] = [];
  const reader = simRuntime('ike', world, runtime.config);
  reader.bus.subscribe<IkePacket>(subjects.ike.packet('*'), ({ subject }) => heard.push(subject));
  const say = (initiator: string, responder: string, address = '203.0.113.5') =>
    front({
      listener: 'main',
      nonEspMarker: false,
      flow: { local: { address: '198.51.100.1', port: 500 }, remote: { address, port: 500 } },
      octets: concat(hex(initiator), hex(responder), new Uint8Array(12)),
    });
  return { runtime, heard, say };
}

test('a first message goes to the same shard before and after a restart', () =>
  inWorld({}, async (world) => {
    const before = frontIn(world);
    before.say('0102030405060708', NO_COOKIE);
    await world.run(10);
    before.runtime.crash();
    const after = frontIn(world);
    after.say('0102030405060708', NO_COOKIE);
    await world.run(10);
    expect(after.heard).toEqual([before.heard[0]]);
  }));

test('made-up cookies from made-up sources are held down, handshakes under way are not', () =>
  inWorld({}, async (world) => {
    const { runtime, heard, say } = frontIn(world);
    say('0102030405060708', NO_COOKIE);
    for (let n = 0; n < 20_000; n += 1) {
      const digits = n.toString(16).padStart(8, '0');
      say(`aaaaaaaa${digits}`, `ffc00000${digits}`, `198.18.${n >>> 8}.${n & 255}`);
    }
    say('0102030405060708', 'ffc0000000c0ffee');
    await world.run(10);
    expect(heard.length).toBe(4_002);
    expect(heard.at(-1)).toBe(subjects.ike.packet(1023));
    expect(runtime.telemetry.counters()['edge.drops{reason=ike-rate}']).toBe(16_000);
  }));
