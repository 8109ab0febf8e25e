/**
 * `npm run bench:forwarding [-- --json] [--rows a,b] [--runs N] [--seconds S] [--peers a,b] [--prototype DIR]`:
 * what the packet path carries, and how that compares to others on the same machine at the same time. Needs
 * root for two network namespaces of its own.
 *
 * Both ends, the load and its sink share the machine, so that absolute figures say little: every run measures
 * all tunnels in turn, ratios are taken inside a run, and a test during which others used the processors is
 * repeated and, the third time, left out. --quiet SECONDS and --foreign CORES relax that on a machine that is
 * not idle.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commit, machine } from '../machine.ts';
import { createBed } from './bed.ts';
import { buildPrograms, versions } from './build.ts';
import { measureAll } from './measurement.ts';
import { PEERS, readOptions } from './options.ts';
import { jsonOf, tableOf } from './report.ts';
import { chosenRows, planOf } from './rows.ts';

const options = readOptions(process.argv.slice(2), process.env);
const choice = chosenRows(options);
const plan = planOf(choice.rows);
const peers = new Set(PEERS.filter((peer) => plan.has(peer)));
const programs = await buildPrograms(options, peers);
const folder = mkdtempSync(join(tmpdir(), 'culvert-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const bed = await createBed();
const begun = { machine: machine(), commit: commit(), versions: await versions(peers) };
const abandon = () => void bed.close().then(() => process.exit(1));
process.once('SIGINT', abandon).once('SIGTERM', abandon);
try {
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  const measurements = await measureAll({ bed, folder, programs }, plan, options, progress);
  const method = `${options.runs} runs of ${options.seconds} s for each test; both ends and the load on this machine`;
  const others = Object.entries(begun.versions).map(([name, version]) => `${name}: ${version}\n`);
  const own = [...measurements.about].map(([name, backend]) => `${name}: ciphers of ${backend}\n`);
  process.stdout.write(`${begun.machine}, commit ${begun.commit}\n${method}\n`);
  process.stdout.write(`${others.join('')}${own.join('')}\n${tableOf(choice, measurements)}`);
  const { disturbed, failures } = measurements;
  process.stdout.write(`${disturbed.length} tests left out as disturbed, ${failures.length} failed\n`);
  if (options.json) {
    const backends = Object.fromEntries(measurements.about);
    const about = { ...begun, backends, runs: options.runs, seconds: options.seconds };
    process.stdout.write(`${jsonOf(choice, measurements, about)}\n`);
  }
  if (failures.length > 0) process.exitCode = 1;
} finally {
  await bed.close();
}
