import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mappedIpv4 } from '@culvert/wire/ip';
import { afterEach, describe, expect, test } from 'vitest';
import { native } from './index.ts';
import { tcpPacket } from './ip-packets.fixture.ts';
import { AT, type Client, clientOf, createRig, openedBy, type Rig, sealerOf } from './rig.fixture.ts';

const LOCALHOST = mappedIpv4(Uint8Array.of(127, 0, 0, 1));
const RING_OCTETS = 4096 * 16;
const descriptors: number[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const fd of descriptors.splice(0)) native().closeDescriptor(fd);
  for (const socket of sockets.splice(0)) socket.close();
});

const opened = (fd: number) => {
  descriptors.push(fd);
  return fd;
};

/** Workers on loopback, each with a socket; in place of a tun there is something that never has a packet. */
function loops(workers: number): readonly { readonly rig: Rig; readonly port: number }[] {
  const events = Array.from({ length: workers }, () => opened(native().openEvent()));
  const rings = new Uint8Array(new SharedArrayBuffer(workers * workers * RING_OCTETS));
  return events.map((event, index) => {
    const fd = opened(native().openUdp('127.0.0.1', 0, 0, true));
    const port = native().boundPort(fd);
    const socket = { fd, via: 1, listener: 0, ipv6: false, local: LOCALHOST, port, every: false };
    const loop = {
      ...{ index, workers, tun: opened(native().openEvent()), event, events, rings },
      ...{ epochMs: 0, ringOctets: RING_OCTETS, sockets: [socket] },
    };
    return { rig: createRig({ loop }), port };
  });
}

/** A client on loopback, and what it has received. */
async function clientOn(number: number, port: number) {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const heard: Uint8Array[] = [];
  socket.on('message', (octets) => heard.push(octets));
  const plain = clientOf(number);
  const flow = {
    local: { address: '127.0.0.1', port },
    remote: { address: '127.0.0.1', port: socket.address().port },
  };
  const sa = { ...plain.sa, flow, createdAt: 0 };
  const client: Client = {
    ...{ ...plain, sa },
    entries: plain.entries.map((entry) => (entry.kind === 'sa' ? sa : entry)),
  };
  const send = async (octets: Uint8Array) => {
    await new Promise((resolve) => socket.send(octets, port, '127.0.0.1', resolve));
  };
  return { client, heard, send };
}

const FRAME = Uint8Array.of(0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0);

describe('the loop of a worker', () => {
  test.each(['aes-gcm-16-128', 'aes-cbc-256'] as const)(
    'what was to be sealed for an SA that has gone is sealed with its keys (%s)',
    async (encryption) => {
      const [worker] = loops(1);
      if (worker === undefined) throw new Error('no worker');
      const { rig, port } = worker;
      const { client, heard } = await clientOn(1, port);
      const keys = clientOf(1, { encryption }).sa;
      const sa = { ...keys, flow: client.sa.flow };
      const other = { ...client, sa, entries: client.entries.map((one) => (one.kind === 'sa' ? sa : one)) };
      rig.declare(other);
      rig.grant(other);
      rig.engine.ppp(client.session, 7, FRAME, AT);
      rig.declare(other, []);
      // The place in the slab is another's by now.
      rig.declare(clientOf(2, { encryption }));
      rig.engine.run(0);
      await expect.poll(() => heard.length).toBe(1);
      const transform = { ...other };
      expect(() => openedBy(transform, heard[0] ?? new Uint8Array())).toThrow('PPP protocol is 49185');
    },
  );

  test('a packet for a neighbour crosses over, and whoever comes after it reads on', async () => {
    const workers = loops(2);
    const [first, second] = workers;
    if (first === undefined || second === undefined) throw new Error('two workers');
    // The SPI's low octet says whose: 0x10001 is the second one's.
    const { client, send } = await clientOn(1, first.port);
    const sealer = sealerOf(client);
    second.rig.declare(client);
    const arrived = async (count: number) => {
      await expect
        .poll(() => {
          first.rig.engine.run(1);
          second.rig.engine.run(1);
          return second.rig.account.counter('espIn');
        })
        .toBe(count);
    };
    for (let count = 1; count <= 200; count += 1) {
      await send(sealer.user(tcpPacket(client, { payload: new Uint8Array(900) })));
      await arrived(count);
    }
    expect(first.rig.account.counter('handedOver')).toBe(200);
    expect(second.rig.account.counters().drops['esp-icv']).toBe(0);
  });
});
