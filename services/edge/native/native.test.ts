import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { formatAddress, mappedIpv4, parseAddress } from '@culvert/wire/ip';
import { afterEach, describe, expect, test } from 'vitest';
import { BATCH_MAX, native, ROW_WORDS, Row, type SystemError } from './index.ts';

const SLOT = 2048;
const open: number[] = [];
const opened = (fd: number) => {
  open.push(fd);
  return fd;
};
afterEach(() => {
  for (const fd of open.splice(0)) native().closeDescriptor(fd);
});

function batch() {
  const rows = new Int32Array(BATCH_MAX * ROW_WORDS);
  const octets = new Uint8Array(rows.buffer);
  const buffer = new Uint8Array(SLOT * BATCH_MAX);
  const addressAt = (row: number, field: number) => {
    const at = (row * ROW_WORDS + field) * 4;
    return octets.subarray(at, at + 16);
  };
  const put = (row: number, data: Uint8Array, port: number, remote: string, local?: string) => {
    buffer.set(data, row * SLOT);
    rows.set([row * SLOT, data.length, port, 0], row * ROW_WORDS);
    const to = parseAddress(remote);
    const from = local === undefined ? undefined : parseAddress(local);
    addressAt(row, Row.remote).set(to.ok ? to.value : []);
    addressAt(row, Row.local).fill(0);
    if (from?.ok) addressAt(row, Row.local).set(from.value);
  };
  const data = (row: number) => {
    const at = rows[row * ROW_WORDS] ?? 0;
    return buffer.subarray(at, at + (rows[row * ROW_WORDS + 1] ?? 0));
  };
  return { rows, buffer, addressAt, put, data };
}

function received(fd: number, box: ReturnType<typeof batch>): number {
  native().pollReady(Int32Array.of(fd), new Int32Array(1), 2000);
  return native().receiveBatch(fd, box.buffer, SLOT, box.rows, BATCH_MAX);
}

const datagram = (spi: number) => Uint8Array.of(0x10, 0, 0, spi, 1, 2, 3, 4);

describe('UDP sockets', () => {
  test.each(['127.0.0.1', '::1'])('a batch goes out and comes in on %s with both addresses', (address) => {
    const wildcard = address.includes(':') ? '::' : '0.0.0.0';
    const server = opened(native().openUdp(wildcard, 0, 0, false));
    const client = opened(native().openUdp(address, 0, 0, false));
    const port = native().boundPort(server);
    const box = batch();
    for (let index = 0; index < 5; index += 1) box.put(index, datagram(index), port, address);
    expect(native().sendBatch(client, box.buffer, box.rows, 5)).toBe(0);
    const into = batch();
    expect(received(server, into)).toBe(5);
    for (let index = 0; index < 5; index += 1) {
      expect(into.data(index)).toEqual(datagram(index));
      expect(into.rows[index * ROW_WORDS + Row.port]).toBe(native().boundPort(client));
      expect(formatAddress(into.addressAt(index, Row.remote))).toBe(address);
      expect(formatAddress(into.addressAt(index, Row.local))).toBe(address);
    }
  });

  test('an answer leaves from the address that was dialled', () => {
    const server = opened(native().openUdp('0.0.0.0', 0, 0, false));
    const client = opened(native().openUdp('127.0.0.1', 0, 0, false));
    const box = batch();
    box.put(0, datagram(1), native().boundPort(client), '127.0.0.1', '127.0.0.77');
    expect(native().sendBatch(server, box.buffer, box.rows, 1)).toBe(0);
    const into = batch();
    expect(received(client, into)).toBe(1);
    expect(formatAddress(into.addressAt(0, Row.remote))).toBe('127.0.0.77');
  });

  test('a reuse-port group is steered by the SPI, IKE and keepalives go to the first', () => {
    const first = opened(native().openUdp('127.0.0.1', 0, 3, false));
    const port = native().boundPort(first);
    const members = [
      first,
      opened(native().openUdp('127.0.0.1', port, 3, false)),
      opened(native().openUdp('127.0.0.1', port, 3, false)),
    ];
    const client = opened(native().openUdp('127.0.0.1', 0, 0, false));
    const box = batch();
    for (let spi = 0; spi < 9; spi += 1) box.put(spi, datagram(spi), port, '127.0.0.1');
    box.put(9, new Uint8Array(8), port, '127.0.0.1');
    box.put(10, Uint8Array.of(0xff), port, '127.0.0.1');
    expect(native().sendBatch(client, box.buffer, box.rows, 11)).toBe(0);
    for (const [index, member] of members.entries()) {
      const into = batch();
      expect(received(member, into)).toBe(index === 0 ? 5 : 3);
      for (let row = 0; row < 3; row += 1) expect((into.data(row)[3] ?? 0) % 3).toBe(index);
    }
  });

  test('a datagram longer than its slot is marked', () => {
    const server = opened(native().openUdp('127.0.0.1', 0, 0, false));
    const client = opened(native().openUdp('127.0.0.1', 0, 0, false));
    const box = batch();
    box.put(0, new Uint8Array(100), native().boundPort(server), '127.0.0.1');
    native().sendBatch(client, box.buffer, box.rows, 1);
    native().pollReady(Int32Array.of(server), new Int32Array(1), 2000);
    expect(native().receiveBatch(server, box.buffer, 64, box.rows, 4)).toBe(1);
    expect(box.rows[Row.mark]).toBe(1);
    expect(box.rows[Row.length]).toBe(64);
  });

  test('what cannot be sent is counted and does not stop the rest', () => {
    const server = opened(native().openUdp('127.0.0.1', 0, 0, false));
    const client = opened(native().openUdp('127.0.0.1', 0, 0, false));
    const box = batch();
    box.put(0, datagram(1), 9, '127.0.0.1', '192.0.2.1');
    box.put(1, datagram(2), native().boundPort(server), '127.0.0.1');
    expect(native().sendBatch(client, box.buffer, box.rows, 2)).toBe(1);
    expect(box.rows[Row.mark]).toBeGreaterThan(0);
    expect(received(server, batch())).toBe(1);
  });

  test('a refusal names the system call and the error', () => {
    const taken = opened(native().openUdp('127.0.0.1', 0, 0, false));
    const again = () => native().openUdp('127.0.0.1', native().boundPort(taken), 0, false);
    expect(again).toThrow(/^bind EADDRINUSE/);
    try {
      again();
    } catch (error) {
      expect(error as SystemError).toMatchObject({ syscall: 'bind', code: 'EADDRINUSE', errno: 98 });
    }
  });
});

describe('arguments that lie', () => {
  const box = batch();
  const outside: readonly (readonly [number, number])[] = [
    [-1, 4],
    [0, -1],
    [SLOT * BATCH_MAX, 1],
    [0, 0x7fffffff],
    [0x7fffffff, 0x7fffffff],
  ];
  test.each(outside)('a row at %i of %i octets', (offset, length) => {
    const socket = opened(native().openUdp('127.0.0.1', 0, 0, false));
    box.rows.set([offset, length, 9, 0], 0);
    box.addressAt(0, Row.remote).set(mappedIpv4(Uint8Array.of(127, 0, 0, 1)));
    expect(() => native().sendBatch(socket, box.buffer, box.rows, 1)).toThrow(RangeError);
  });

  test('buffers and counts', () => {
    const socket = opened(native().openUdp('127.0.0.1', 0, 0, false));
    const { buffer, rows } = batch();
    expect(() => native().receiveBatch(socket, buffer, SLOT, rows, BATCH_MAX + 1)).toThrow(RangeError);
    expect(() => native().receiveBatch(socket, buffer.subarray(1), SLOT, rows, BATCH_MAX)).toThrow(
      RangeError,
    );
    expect(() => native().receiveBatch(socket, buffer, SLOT, rows.subarray(1), BATCH_MAX)).toThrow(
      RangeError,
    );
    expect(() => native().receiveBatch(socket, buffer, 0, rows, 1)).toThrow(RangeError);
    expect(() => native().receiveBatch(Number.NaN, buffer, SLOT, rows, 1)).toThrow(RangeError);
    expect(() => native().receiveBatch(socket, rows as never, SLOT, rows, 1)).toThrow(TypeError);
    expect(() => native().openUdp('127.0.0.1', 70000, 0, false)).toThrow(RangeError);
    expect(() => native().openUdp('no address', 0, 0, false)).toThrow(/EINVAL/);
    expect(() => native().openTun('a name that is far too long', false)).toThrow(RangeError);
    expect(() => native().pollReady(new Int32Array(3), new Int32Array(2), 0)).toThrow(RangeError);
  });
});

describe('waiting', () => {
  test('poll times out, and an eventfd wakes it', () => {
    const event = opened(native().openEvent());
    const ready = new Int32Array(1);
    expect(native().pollReady(Int32Array.of(event), ready, 5)).toBe(0);
    native().wakeEvent(event);
    native().wakeEvent(event);
    expect(native().pollReady(Int32Array.of(event), ready, 5)).toBe(1);
    native().drainEvent(event);
    expect(native().pollReady(Int32Array.of(event), ready, 0)).toBe(0);
    native().drainEvent(event);
  });

  test('a worker blocked in poll is woken by another thread', async () => {
    const event = opened(native().openEvent());
    const source = `
      const { workerData, parentPort } = require('node:worker_threads');
      const addon = require(workerData.addon);
      parentPort.postMessage('waiting');
      parentPort.postMessage(addon.pollReady(Int32Array.of(workerData.event), new Int32Array(1), 20000));`;
    const addon = new URL('./build/culvert_native.node', import.meta.url).pathname;
    const worker = new Worker(source, { eval: true, workerData: { event, addon } });
    const heard: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      worker.on('message', (message) => {
        heard.push(message);
        if (message === 'waiting') setTimeout(() => native().wakeEvent(event), 50);
      });
    });
    expect(heard).toEqual(['waiting', 1]);
  });
});

/** Devices and raw sockets need root; they get a network namespace of their own. */
function inNamespace(script: string): string {
  const face = new URL('./index.ts', import.meta.url).href;
  const source = `const { native, Row, ROW_WORDS, BATCH_MAX } = await import(${JSON.stringify(face)});
    const { execFileSync } = await import('node:child_process');
    const ip = (...args) => execFileSync('ip', args, { encoding: 'utf8' });
    ip('link', 'set', 'lo', 'up');
    ${script}`;
  return execFileSync('unshare', ['--net', process.execPath, '--input-type=module', '-e', source], {
    encoding: 'utf8',
  });
}

describe.runIf(process.getuid?.() === 0)('with privilege', () => {
  test('packets cross a tun with two queues in both directions', () => {
    const out = inNamespace(`
      const tun = native().openTun('edge%d', true);
      const other = native().openTun(tun.name, true);
      ip('addr', 'add', '10.9.0.1/24', 'dev', tun.name);
      ip('link', 'set', tun.name, 'up');
      const { readSync, writeSync } = await import('node:fs');
      // Behind a header of ten zeros: an Echo to the tun's own address. The kernel answers out of the tun.
      const header = Buffer.alloc(10);
      const echo = Buffer.from('4500001c00010000400166cc0a0900020a0900010800f7fe00010000', 'hex');
      const written = writeSync(tun.fd, Buffer.concat([header, echo]));
      const answers = [];
      for (let turn = 0; turn < 20 && answers.length === 0; turn += 1) {
        native().pollReady(Int32Array.of(tun.fd, other.fd), new Int32Array(2), 200);
        for (const fd of [tun.fd, other.fd]) {
          const buffer = Buffer.alloc(65536);
          for (;;) {
            let length = 0;
            try { length = readSync(fd, buffer); } catch { break; }
            const packet = buffer.subarray(10, length);
            if (packet[9] === 1 && packet[20] === 0) answers.push(packet.toString('hex'));
          }
        }
      }
      console.log(JSON.stringify({ written, name: tun.name, answers }));`);
    const seen = JSON.parse(out) as { written: number; name: string; answers: string[] };
    expect(seen).toMatchObject({ written: 38, name: 'edge0' });
    expect(seen.answers[0]).toContain('0a0900010a090002');
  });

  test('raw ESP sockets share the SPIs, on both families', () => {
    const out = inNamespace(`
      const found = {};
      for (const [v6, text] of [[false, '00000000000000000000ffff7f000001'], [true, '00000000000000000000000000000001']]) {
        const members = [native().openRawEsp(v6, 2, 0), native().openRawEsp(v6, 2, 1)];
        const buffer = new Uint8Array(2048 * 64), rows = new Int32Array(ROW_WORDS * 64);
        const addresses = new Uint8Array(rows.buffer);
        for (let spi = 0; spi < 6; spi += 1) {
          buffer.set([9, 9, 9, spi, 0, 0, 0, 1], spi * 2048);
          rows.set([spi * 2048, 8, 0, 0], spi * ROW_WORDS);
          addresses.set(Buffer.from(text, 'hex'), (spi * ROW_WORDS + Row.remote) * 4);
        }
        const failed = native().sendBatch(members[0], buffer, rows, 6);
        found[v6 ? 'v6' : 'v4'] = members.map((fd) => {
          native().pollReady(Int32Array.of(fd), new Int32Array(1), 2000);
          const count = native().receiveBatch(fd, buffer, 2048, rows, 64);
          return Array.from({ length: count }, (_, i) => [buffer[rows[i * ROW_WORDS] + 3], rows[i * ROW_WORDS + 1], failed]);
        });
      }
      console.log(JSON.stringify(found));`);
    const share = [[0, 2, 4].map((spi) => [spi, 8, 0]), [1, 3, 5].map((spi) => [spi, 8, 0])];
    expect(JSON.parse(out)).toEqual({ v4: share, v6: share });
  });
});
