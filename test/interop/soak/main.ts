/**
 * `npm run soak:rekey [-- --rekeys N --clients N]`, as root: real clients with a TCP connection under load
 * whose IPsec SAs are renewed every two seconds and whose ISAKMP SA every thirty. Prints what was lost, what
 * stalled and what the gateway held before, in the middle and after, as a table and as one line of JSON.
 */
import { parseArgs } from 'node:util';
import { machine, table } from '../../bench/machine.ts';
import type { Census } from '../lab/census.ts';
import { openLab } from '../lab/lab.ts';
import { faults } from './judge.ts';
import { type Outcome, soak } from './rekey.ts';

const SAY_MS = 60_000;

const { values } = parseArgs({
  options: { rekeys: { type: 'string', default: '2000' }, clients: { type: 'string', default: '2' } },
});
// With it, each service collects its garbage before its memory is looked at.
process.env.NODE_OPTIONS = '--expose-gc';
let said = 0;
const say = (line: string): void => {
  if (Date.now() - said < SAY_MS) return;
  said = Date.now();
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
};

const lab = await openLab('soak-rekey', { telemetry: { logLevel: 'info' } });
try {
  const outcome = await soak(lab, { rekeys: Number(values.rekeys), clients: Number(values.clients), say });
  const found = faults(outcome);
  process.stdout.write(`${shown(outcome)}\n\n${found.join('\n') || 'nothing lost, nothing leaked'}\n`);
  process.stdout.write(`${JSON.stringify({ machine: machine(), ...outcome, faults: found })}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${await lab.words()}\n`);
  throw error;
} finally {
  await lab.close();
}

function shown(outcome: Outcome): string {
  const { quickModes, mainModes, lost, stalls, longestGapMs, seconds, connections } = outcome;
  const { before, warm, end, after } = outcome;
  const octets = connections.reduce((sum, report) => sum + report.octets, 0);
  const moments = [before, warm, end, after];
  const row = (name: string, of: (census: Census) => string | number) => [name, ...moments.map(of)];
  const names = Object.keys(end.processes);
  const streams = Object.keys(end.messages);
  return [
    `${quickModes} Quick Mode rekeys, ${mainModes} Main Modes in ${seconds.toFixed(0)} s; ${connections.length} TCP connections, ${(octets / 1e6).toFixed(0)} MB each way`,
    `lost ${lost}, stalls above 1 s ${stalls}, longest gap ${longestGapMs} ms`,
    '',
    table(
      ['', 'before', 'warm', 'end', 'after'],
      [
        row('sessions', ({ sessions }) => sessions),
        row('engine SAs', ({ engineSas }) => engineSas),
        row('ISAKMP SAs', ({ isakmpSas }) => isakmpSas),
        row('IPsec SAs', ({ ipsecSas }) => ipsecSas),
        row('consumers', ({ consumers }) => consumers),
        ...streams.flatMap((name) => [
          row(`${name} keys`, ({ keys }) => keys[name] ?? 0),
          row(`${name} messages`, ({ messages }) => messages[name] ?? 0),
        ]),
        ...names.flatMap((name) => [
          row(`${name} RSS MiB`, ({ processes }) => mebibytes(processes[name]?.residentOctets ?? 0)),
          row(`${name} threads`, ({ processes }) => processes[name]?.threads ?? 0),
          row(`${name} sockets`, ({ processes }) => processes[name]?.sockets ?? 0),
          row(`${name} descriptors`, ({ processes }) => processes[name]?.descriptors ?? 0),
        ]),
      ],
    ),
  ].join('\n');
}

function mebibytes(octets: number): string {
  return (octets / (1 << 20)).toFixed(1);
}
