import { stringify } from 'yaml';
import type { Config } from './config.ts';

/** The effective settings as plain data; every secret reads `[secret]`. */
export function redacted(config: Config): Record<string, unknown> {
  return JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
}

export function printConfig(config: Config): string {
  return stringify(redacted(config), { lineWidth: 110 });
}
