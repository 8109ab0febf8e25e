import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, ConfigFaults, loadConfig, newPsk, parseConfig } from '@culvert/config';
import { configFileFor } from '@culvert/service-gateway';
import type { Finding } from '../doctor/finding.ts';
import { checksFor } from '../doctor/index.ts';
import { enterNamespaceOf, type Place, runStateOf } from '../link.ts';
import { table } from '../table.ts';
import { answer, type Terminal } from '../terminal.ts';

/** Fails when something is missing without which the gateway cannot run. */
export async function doctor(place: Place, terminal: Terminal): Promise<void> {
  const file = configFileFor(place.config, place.state);
  const { config, findings } = configFindings(file, place.state);
  const gateway = runStateOf(config.stateDir);
  // Ports, routes and MTU are those of the gateway's network namespace.
  if (gateway !== undefined) enterNamespaceOf(gateway.pid);
  for (const check of checksFor(config, gateway !== undefined)) findings.push(...(await check()));
  const healthy = findings.every(({ verdict }) => verdict !== 'bad');
  answer(terminal, { healthy, findings }, () => text(findings, healthy, terminal));
  if (!healthy) terminal.fail();
}

/** Without a usable file the machine is judged by the defaults. */
function configFindings(file: string, state: string | undefined): { config: Config; findings: Finding[] } {
  const stateDir = state === undefined ? '' : `stateDir: ${JSON.stringify(resolve(state))}\n`;
  const defaults = () => parseConfig(`${stateDir}psks: [{ name: none, secret: ${newPsk()} }]`, '/');
  if (!existsSync(file)) {
    const found = `none at ${file}: culvert up makes a first one`;
    return { config: defaults(), findings: [{ name: 'configuration', verdict: 'good', found }] };
  }
  try {
    return { config: loadConfig(file), findings: [{ name: 'configuration', verdict: 'good', found: file }] };
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error;
    const found = `${error.faults.length} faults in ${file}`;
    const remedy = 'culvert config check tells them all';
    return { config: defaults(), findings: [{ name: 'configuration', verdict: 'bad', found, remedy }] };
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
