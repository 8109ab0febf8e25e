/**
 * `npm run bench:esp [-- --json]`: what the reference ESP carries in one thread, sealing and opening, per
 * suite and packet size; medians of several runs with their spread.
 */
import { randomBytes } from 'node:crypto';
import type { EspEncryption, EspIntegrity } from '@culvert/contracts';
import { systemClock } from '@culvert/host';
import { createIvSource, newWindow, openEsp, prepareEsp, sealEsp } from '../../services/edge/esp/index.ts';
import { commit, machine, median, table } from './machine.ts';

const RUNS = 5;
const PACKETS = 4_000;
const SUITES: readonly (readonly [EspEncryption, EspIntegrity, key: number, integrity: number])[] = [
  ['aes-gcm-16-256', 'none', 32, 0],
  ['aes-cbc-256', 'hmac-sha1-96', 32, 20],
  ['aes-cbc-256', 'hmac-sha2-256-128', 32, 32],
];
const SIZES = [64, 512, 1400];

function once(encryption: EspEncryption, integrity: EspIntegrity, key: number, mac: number, size: number) {
  const salt = integrity === 'none' ? randomBytes(4) : new Uint8Array(0);
  const transform = prepareEsp(encryption, integrity, {
    encryption: randomBytes(key),
    integrity: randomBytes(mac),
    salt,
  });
  const ivs = createIvSource({ nodeId: 1, generation: 1, cbcKey: randomBytes(32) });
  const payload = randomBytes(size);
  const packets: Uint8Array[] = [];
  const begun = systemClock.elapsed();
  for (let sequence = 1; sequence <= PACKETS; sequence += 1) {
    packets.push(sealEsp(transform, { spi: 4096, sequence, nextHeader: 17, payload }, ivs));
  }
  const sealed = systemClock.elapsed();
  let window = newWindow(1024);
  for (const packet of packets) {
    const opened = openEsp(transform, window, packet);
    if (!opened.ok) throw new Error(`packet did not open: ${opened.fault}`);
    window = opened.window;
  }
  const opened = systemClock.elapsed();
  return { seal: PACKETS / (sealed - begun), open: PACKETS / (opened - sealed) };
}

const rows: string[][] = [];
const figures: Record<string, { seal_kpps: number; open_kpps: number }> = {};
for (const [encryption, integrity, key, mac] of SUITES) {
  for (const size of SIZES) {
    const runs = Array.from({ length: RUNS }, () => once(encryption, integrity, key, mac, size));
    const show = (values: number[]) => {
      const middle = median(values);
      const gbits = (middle * 1000 * size * 8) / 1e9;
      return [
        `${middle.toFixed(1)} [${Math.min(...values).toFixed(1)}..${Math.max(...values).toFixed(1)}]`,
        gbits.toFixed(2),
      ];
    };
    const name = `${encryption}${integrity === 'none' ? '' : ` ${integrity}`}`;
    const seal = runs.map((run) => run.seal);
    const open = runs.map((run) => run.open);
    rows.push([name, String(size), ...show(seal), ...show(open)]);
    figures[`${name} ${size}`] = { seal_kpps: median(seal), open_kpps: median(open) };
  }
}
process.stdout.write(`${machine()}, commit ${commit()}; one thread, ${RUNS} runs of ${PACKETS} packets\n\n`);
process.stdout.write(`${table(['suite', 'octets', 'seal kpps', 'Gbit/s', 'open kpps', 'Gbit/s'], rows)}\n`);
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(figures)}\n`);
