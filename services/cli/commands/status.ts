import type { ServiceStatus } from '@culvert/contracts';
import { SERVICES, statuses } from '../gather.ts';
import { type Place, withGateway } from '../link.ts';
import { duration, mebibytes, table } from '../table.ts';
import { answer, type Terminal } from '../terminal.ts';

/** Fails when a service is silent or not serving. */
export async function status(place: Place, counters: boolean, terminal: Terminal): Promise<void> {
  await withGateway(place, async (bus, state) => {
    const found = await statuses(bus);
    const healthy = SERVICES.every((name) => found.get(name)?.state === 'serving');
    const data = {
      healthy,
      pid: state.pid,
      startedAt: state.startedAt,
      configFile: state.configFile,
      nats: { url: state.nats.url, version: state.nats.version, embedded: state.nats.embedded },
      services: Object.fromEntries(SERVICES.map((name) => [name, found.get(name) ?? null])),
    };
    answer(terminal, data, () =>
      [
        `culvert, process ${state.pid}, up ${duration(Date.now() - state.startedAt)}, ${state.configFile}`,
        `NATS ${state.nats.version} at ${state.nats.url}${state.nats.embedded ? ' (embedded)' : ''}`,
        '',
        services(found, terminal),
        ...(counters ? ['', ...counterLines(found, terminal)] : []),
      ].join('\n'),
    );
    if (!healthy) terminal.fail();
  });
}

type Found = ReadonlyMap<string, ServiceStatus | undefined>;

function services(found: Found, terminal: Terminal): string {
  const rows = SERVICES.map((name) => {
    const told = found.get(name);
    if (told === undefined) return [name, terminal.paint('red', 'silent'), '', '', '', ''];
    const state = terminal.paint(told.state === 'serving' ? 'green' : 'yellow', told.state);
    const up = duration(Date.now() - told.startedAt);
    return [name, state, String(told.sessions), mebibytes(told.memoryBytes), up, String(told.pid)];
  });
  return table(terminal, ['SERVICE', 'STATE', 'SESSIONS', 'MEMORY', 'UP', 'PID'], rows);
}

function counterLines(found: Found, terminal: Terminal): string[] {
  const rows = SERVICES.flatMap((name) =>
    Object.entries(found.get(name)?.counters ?? {})
      .filter(([, value]) => value > 0)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([counter, value]) => [name, counter, String(value)]),
  );
  return [table(terminal, ['SERVICE', 'COUNTER', 'VALUE'], rows)];
}
