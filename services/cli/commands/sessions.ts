import { type MergedSession, sessionOf, sessions } from '../gather.ts';
import { type Place, withGateway } from '../link.ts';
import { duration, printable, table } from '../table.ts';
import { answer, type Terminal } from '../terminal.ts';

export async function listSessions(place: Place, terminal: Terminal): Promise<void> {
  await withGateway(place, async (bus) => {
    const found = await sessions(bus);
    answer(terminal, found, () => (found.length === 0 ? 'no sessions' : overview(found, terminal)));
  });
}

export async function showSession(place: Place, id: string, terminal: Terminal): Promise<void> {
  await withGateway(place, async (bus) => {
    const found = await sessionOf(bus, id);
    answer(terminal, found, () => details(found, terminal));
  });
}

function overview(found: readonly MergedSession[], terminal: Terminal): string {
  const heading = ['SESSION', 'USER', 'ADDRESS', 'PEER', 'SUITE', 'IN', 'OUT', 'SINCE'];
  const rows = found.map((session) => [
    session.session,
    fact(session, 'user'),
    fact(session, 'ipv4') || fact(session, 'ipv6'),
    fact(session, 'peer'),
    fact(session, 'suite'),
    octets(session.facts.octetsIn),
    octets(session.facts.octetsOut),
    session.ending === undefined
      ? duration(Date.now() - session.since)
      : terminal.paint('yellow', `ending: ${session.ending}`),
  ]);
  return table(terminal, heading, rows);
}

function details(session: MergedSession, terminal: Terminal): string {
  const pairs = (values: Readonly<Record<string, unknown>>) =>
    Object.entries(values).map(([name, value]) => [`  ${printable(name)}`, shown(name, value)]);
  return table(
    terminal,
    ['SESSION', session.session],
    [
      ['since', moment(session.since)],
      ['trace', session.traceId],
      ['services', session.services.join(', ')],
      ...(session.ending === undefined ? [] : [['ending', session.ending]]),
      ['states', ''],
      ...pairs(session.states),
      ['facts', ''],
      ...pairs(session.facts),
    ],
  );
}

/** A fact named `...At` is a time in milliseconds since the epoch. */
function shown(name: string, value: unknown): string {
  return typeof value === 'number' && name.endsWith('At') ? moment(value) : printable(String(value));
}

function moment(at: number): string {
  return `${new Date(at).toISOString()} (${duration(Date.now() - at)} ago)`;
}

function fact(session: MergedSession, name: string): string {
  return printable(String(session.facts[name] ?? ''));
}

function octets(value: unknown): string {
  if (typeof value !== 'number') return '';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, value < 1000 ? 0 : Math.floor(Math.log10(value) / 3));
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ''}`;
}
