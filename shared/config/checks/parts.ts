import type { Secret } from '@culvert/crypto';
import { z } from 'zod';
import type { SourceText } from '../document.ts';
import type { Fault, Path } from '../faults.ts';
import { fault, valueAt } from '../issues.ts';
import { type Settings, settings } from '../schema.ts';

/**
 * The parts of a file that the schema accepts by themselves, so that checks across fields still run when
 * some other field is wrong. A refused part, or list item, is undefined.
 */
export type Parts = {
  readonly [K in keyof Settings]: Settings[K] extends (infer Item)[]
    ? readonly (Item | undefined)[]
    : Settings[K] | undefined;
};

export interface Surroundings {
  readonly source: SourceText;
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Texts that no fault may show. */
  readonly inline: readonly string[];
  readonly baseDir: string;
}

export type Check = (parts: Parts, report: Report) => void;

/** Reports a fault at a field; its value is shown when that is harmless. */
export type Report = (path: Path, problem: string, remedy: string) => void;

export function reporter(around: Surroundings, into: Fault[]): Report {
  return (path, problem, remedy) =>
    into.push(
      fault(path, valueAt(around.source.data, path), { problem, remedy }, around.source, around.inline),
    );
}

export function readableParts(data: unknown): Parts {
  const parts = Object.entries(settings.shape).map(([name, schema]) => {
    const given = valueAt(data, [name]);
    const item = itemSchema(schema);
    return [
      name,
      item !== undefined && Array.isArray(given)
        ? given.map((each) => accepted(item, each))
        : accepted(schema, given),
    ];
  });
  return {
    listen: [],
    psks: [],
    users: [],
    ...Object.fromEntries(parts.filter(([, part]) => part !== undefined)),
  } as Parts;
}

function itemSchema(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault)
    return itemSchema(schema.unwrap() as z.ZodType);
  return undefined;
}

/** Unknown keys are faults of their own and do not spoil the rest of their section. */
function accepted(schema: z.ZodType, value: unknown): unknown {
  const first = schema.safeParse(value);
  if (first.success) return first.data;
  const cleaned = structuredClone(value);
  for (const issue of first.error.issues) {
    if (issue.code !== 'unrecognized_keys') return undefined;
    const section = valueAt(
      cleaned,
      issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
    );
    for (const key of issue.keys) Reflect.deleteProperty(section as object, key);
  }
  const second = schema.safeParse(cleaned);
  return second.success ? second.data : undefined;
}

/** The items that are readable, with their place in the list. */
export function* present<T>(items: readonly (T | undefined)[]): Generator<readonly [number, T]> {
  for (const [index, item] of items.entries()) if (item !== undefined) yield [index, item];
}
