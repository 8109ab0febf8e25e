import { configSchemaJson, printConfig, redacted } from '@culvert/config';
import { configAt, type Place } from '../link.ts';
import { answer, type Terminal } from '../terminal.ts';

/** Faults come as an exception, with its own exit status. */
export function configCheck(place: Place, terminal: Terminal): void {
  const config = configAt(place);
  answer(terminal, { ok: true }, () => {
    const many = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
    return `good: ${many(config.listen.length, 'listener')}, ${many(config.psks.length, 'PSK')}, pool ${config.pool.ipv4}`;
  });
}

export function configPrint(place: Place, terminal: Terminal): void {
  const config = configAt(place);
  answer(terminal, redacted(config), () => printConfig(config).trimEnd());
}

export function configSchema(terminal: Terminal): void {
  terminal.out(JSON.stringify(configSchemaJson(), undefined, 2));
}
