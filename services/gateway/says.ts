/** What the launcher tells the person or program that started it. */
export interface Says {
  /** For the operator: progress and faults, one line. */
  line(text: string): void;
  /** Text to be read as it is, such as how to connect. */
  text(text: string): void;
  /** One line that a service wrote. */
  service(name: string, line: string): void;
  /** For programs. */
  event(event: LaunchEvent): void;
}

export type LaunchEvent =
  | {
      readonly event: 'created';
      readonly configFile: string;
      readonly psk: string;
      readonly user: string;
      readonly password: string;
    }
  | { readonly event: 'started'; readonly service: string; readonly pid: number | undefined }
  | { readonly event: 'ended'; readonly service: string; readonly how: string; readonly restartInMs: number }
  | {
      readonly event: 'ready';
      readonly configFile: string;
      readonly pid: number;
      readonly natsVersion: string;
    }
  | { readonly event: 'stopping' | 'stopped' };

type Write = (text: string) => void;

/** For a terminal or a log file. Services write pino's JSON lines, which a person gets as text. */
export function plainSays(write: Write, pretty: boolean): Says {
  return {
    line: (text) => write(`${text}\n`),
    text: write,
    service: (name, line) => write(`${pretty ? readable(name, line) : line}\n`),
    event: () => undefined,
  };
}

/** One JSON object a line, whatever happens. */
export function jsonSays(write: Write): Says {
  const object = (value: object) => write(`${JSON.stringify(value)}\n`);
  return {
    line: (message) => object({ message }),
    text: () => undefined,
    service: (service, line) => object(parsed(line) ?? { service, message: line }),
    event: object,
  };
}

const LEVELS: Readonly<Record<string, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
/** Pino's own fields, which are shown elsewhere or say nothing to a person. */
const UNSHOWN = new Set([
  'level',
  'time',
  'msg',
  'message',
  'pid',
  'hostname',
  'name',
  'service',
  'node',
  'trace_id',
  'span_id',
  'trace_flags',
]);

/** `12:30:01 ike warn: no proposal chosen  peer=192.0.2.7` */
export function readable(name: string, line: string): string {
  const fields = parsed(line);
  if (fields === undefined) return `${name}: ${line}`;
  const { level, time, msg, message } = fields;
  const rest = Object.entries(fields)
    .filter(([key]) => !UNSHOWN.has(key))
    .map(
      ([key, value]) =>
        `${key}=${typeof value === 'string' ? value : (causeOf(value) ?? JSON.stringify(value))}`,
    );
  const label = LEVELS[String(level)] ?? String(level ?? 'info');
  const head = `${clock(time)}${name}${label === 'info' ? '' : ` ${label}`}: ${String(msg ?? message ?? '')}`;
  return rest.length === 0 ? head : `${head}  ${rest.join(' ')}`;
}

/** The message of a logged error: where in the program it happened is for the log's reader. */
function causeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : undefined;
}

/** What the last lines of a service say went wrong, each once; if nothing did, what they say. */
export function lastWords(lines: readonly string[]): string[] {
  const told = lines.map((line) => {
    const fields = parsed(line);
    if (fields === undefined) return { bad: true, text: line };
    const { level, msg, error } = fields;
    const words = [msg, causeOf(error)].filter((word) => word !== undefined).join(': ');
    return { bad: level !== 'info' && level !== 'debug', text: words };
  });
  const bad = told.filter((line) => line.bad);
  return [...new Set((bad.length > 0 ? bad : told).map(({ text }) => text))];
}

function clock(time: unknown): string {
  if (typeof time !== 'number' && typeof time !== 'string') return '';
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : `${date.toTimeString().slice(0, 8)} `;
}

function parsed(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
