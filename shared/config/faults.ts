/** One thing that is wrong, and what to do about it. `value` is never, nor holds, a secret. */
export interface Fault {
  /** Path as in the file: `psks[0].secret`. Empty: the file as a whole. */
  readonly field: string;
  readonly problem: string;
  readonly remedy: string;
  readonly value?: string;
  /** 1-based line of the file. */
  readonly line?: number;
}

/** Every fault of a configuration at once. */
export class ConfigFaults extends Error {
  override readonly name = 'ConfigFaults';
  readonly source: string;
  readonly faults: readonly Fault[];

  constructor(source: string, faults: readonly Fault[]) {
    super(
      [`${source}: ${faults.length} fault${faults.length === 1 ? '' : 's'}`, ...faults.map(faultText)].join(
        '\n',
      ),
    );
    this.source = source;
    this.faults = faults;
  }
}

export function faultText(fault: Fault): string {
  const line = fault.line === undefined ? '' : `line ${fault.line}: `;
  const field = fault.field === '' ? '' : `${fault.field} `;
  const value = fault.value === undefined ? '' : ` (${fault.value})`;
  return `  ${line}${field}${fault.problem}${value}; ${fault.remedy}`;
}

export type Path = readonly (string | number)[];

export function fieldOf(path: Path): string {
  return path.reduce<string>(
    (field, step) =>
      typeof step === 'number' ? `${field}[${step}]` : field === '' ? step : `${field}.${step}`,
    '',
  );
}

/** Fields that hold secrets, and those that hold one by mistake: a key written where its file belongs. */
const SECRET_FIELD = /^(secret|password|tunnelSecret)(File)?$/;
/** User information and tokens travel in URLs. */
const SECRET_URL = /[@?]/;
const SHOWN_MAX = 80;

/**
 * The value for a fault's text. Only a scalar where the schema has one is shown, never a section: what was
 * written in a section's place may be a key. `secrets` are the texts of all secret fields of the file, so
 * that a key pasted into a second, harmless field is not shown either.
 */
export function shown(path: Path, value: unknown, secrets: readonly string[]): string | undefined {
  if (path.some((step) => typeof step === 'string' && SECRET_FIELD.test(step))) return undefined;
  if (typeof value === 'number' || typeof value === 'boolean')
    return secrets.includes(String(value)) ? undefined : String(value);
  if (typeof value !== 'string' || (path.length < 2 && !TOP_LEVEL_SCALARS.has(String(path[0]))))
    return undefined;
  if (SECRET_URL.test(value) || value.length > SHOWN_MAX) return undefined;
  return secrets.some((secret) => value.includes(secret)) ? undefined : JSON.stringify(value);
}

const TOP_LEVEL_SCALARS: ReadonlySet<string> = new Set(['node', 'stateDir', 'usersFile']);
