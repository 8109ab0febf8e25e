import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { crossFaults, readableParts } from './checks/index.ts';
import { type Config, configOf } from './config.ts';
import { readYaml } from './document.ts';
import { ConfigFaults, type Fault, type Path } from './faults.ts';
import { faultsOfIssues } from './issues.ts';
import { settings } from './schema.ts';
import { inlineSecrets, readSecrets, secretFiles } from './secrets.ts';

/**
 * Reads and checks a configuration file. Throws ConfigFaults with everything that is wrong. CULVERT_STATE in
 * the environment is stronger than `stateDir`: `culvert up --state` passes it to every service.
 */
export function loadConfig(path: string): Config {
  const file = resolve(path);
  return parseConfig(readText(file), dirname(file), file, process.env.CULVERT_STATE);
}

/**
 * `baseDir` is what relative paths in the text start from; `name` stands in the error's first line;
 * `stateDir`, if given, replaces the one in the text.
 */
export function parseConfig(
  text: string,
  baseDir: string,
  name = 'configuration',
  stateDir?: string,
): Config {
  const source = readYaml(text);
  if (!('data' in source)) throw new ConfigFaults(name, source);
  const inline = inlineSecrets(source.data);
  const checked = settings.safeParse(source.data);
  const issues = checked.success ? [] : checked.error.issues;
  const { secrets, faults: secretFaults } = readSecrets(source, baseDir);
  const faults = [
    ...faultsOfIssues(issues, source, inline, (path) => keysAt(settings, path)),
    ...secretFaults,
    ...crossFaults(readableParts(source.data), { source, secrets, inline, baseDir }),
  ];
  if (faults.length > 0 || !checked.success) throw new ConfigFaults(name, inFileOrder(faults));
  return configOf(stateDir === undefined ? checked.data : { ...checked.data, stateDir }, secrets, baseDir);
}

/** The files that a configuration takes secrets from, itself if it holds one; it need not be faultless. */
export function secretFilesOf(path: string): readonly string[] {
  const file = resolve(path);
  const source = readYaml(readText(file));
  if (!('data' in source)) return [];
  const named = secretFiles(source.data).map((secret) => resolve(dirname(file), secret));
  return inlineSecrets(source.data).length > 0 ? [...named, file] : named;
}

/** JSON Schema (2020-12) of the file, for editors and `culvert config schema`. */
export function configSchemaJson(): Record<string, unknown> {
  return { title: 'Culvert configuration', ...z.toJSONSchema(settings, { io: 'input' }) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const remedy = 'name a readable YAML file with --config';
    throw new ConfigFaults(file, [{ field: '', problem: `cannot be read: ${code}`, remedy }]);
  }
}

function inFileOrder(faults: readonly Fault[]): Fault[] {
  return faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** The keys that the schema knows in the section at `path`. */
function keysAt(schema: unknown, path: Path): string[] {
  const [step, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    return step === undefined ? Object.keys(schema.shape) : keysAt(schema.shape[step], rest);
  }
  if (schema instanceof z.ZodArray) return step === undefined ? [] : keysAt(schema.element, rest);
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return keysAt(schema.unwrap(), path);
  }
  return [];
}
