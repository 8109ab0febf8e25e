import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, ConfigFaults, loadConfig, newPsk, parseConfig, secretFilesOf } from '@culvert/config';
import { configFileFor } from '@culvert/service-gateway';
import { bad, type Finding, good } from '../doctor/finding.ts';
import { checksFor } from '../doctor/index.ts';
import { enterNamespaceOf, type Place, runStateOf } from '../link.ts';
import { table } from '../table.ts';
import { answer, type Terminal } from '../terminal.ts';

/** Fails when something is missing without which the gateway cannot run. */
export async function doctor(place: Place, terminal: Terminal): Promise<void> {
  const file = configFileFor(place.config, place.state);
  if (place.state !== undefined) process.env.CULVERT_STATE = resolve(place.state);
  const { config, secrets, findings } = configFindings(file);
  const gateway = runStateOf(config.stateDir);
  // Ports, routes and MTU are those of the gateway's network namespace.
  if (gateway !== undefined) enterNamespaceOf(gateway.pid);
  for (const check of checksFor(config, secrets, gateway !== undefined)) findings.push(...(await check()));
  const healthy = findings.every(({ verdict }) => verdict !== 'bad');
  answer(terminal, { healthy, findings }, () => text(findings, healthy, terminal));
  if (!healthy) terminal.fail();
}

/** Without a usable file the machine is judged by the defaults. */
function configFindings(file: string): { config: Config; secrets: readonly string[]; findings: Finding[] } {
  const name = 'configuration';
  const defaults = () => {
    const text = `psks: [{ name: none, secret: ${newPsk()} }]`;
    return { config: parseConfig(text, '/', name, process.env.CULVERT_STATE), secrets: [] };
  };
  if (!existsSync(file)) {
    return { ...defaults(), findings: [good(name, `none at ${file}: culvert up makes a first one`)] };
  }
  try {
    return { config: loadConfig(file), secrets: secretFilesOf(file), findings: [good(name, file)] };
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error;
    const count = error.faults.length;
    const found = `${count} ${count === 1 ? 'fault' : 'faults'} in ${file}`;
    return { ...defaults(), findings: [bad(name, found, 'culvert config check tells them all')] };
  }
}

const COLOURS = { good: 'green', doubtful: 'yellow', bad: 'red' } as const;

function text(findings: readonly Finding[], healthy: boolean, terminal: Terminal): string {
  const rows = findings.map(({ name, verdict, found }) => [
    terminal.paint(COLOURS[verdict], verdict),
    name,
    found,
  ]);
  const remedies = findings.flatMap(({ name, verdict, remedy }) =>
    verdict === 'good' || remedy === undefined ? [] : [`${name}: ${remedy}`],
  );
  return [
    table(terminal, ['', 'WHAT', 'FOUND'], rows),
    ...(remedies.length > 0 ? ['', ...remedies] : []),
    '',
    healthy ? 'This machine can run a gateway.' : 'This machine cannot run a gateway yet.',
  ].join('\n');
}
