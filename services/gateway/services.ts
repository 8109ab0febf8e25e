import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bus } from '@culvert/bus';
import { type ServiceName, type ServiceStatus, subjects } from '@culvert/contracts';
import type { Program } from './child.ts';

/** What is asked comes up before what asks; the edge, which lets clients in, last. */
export const START_ORDER: readonly ServiceName[] = ['aaa', 'ppp', 'l2tp', 'ike', 'edge'];

/**
 * First those that negotiate, so that their last answers still leave; the edge last: it forwards what is
 * established until the end.
 */
export const STOP_ORDER: readonly ServiceName[] = ['ike', 'l2tp', 'ppp', 'aaa', 'edge'];

const SERVICES = fileURLToPath(new URL('../', import.meta.url));
const ASK_MS = 1000;
const POLL_MS = 150;
/** nft and ip live where an unprivileged PATH does not look. */
const SYSTEM_PATH = '/usr/sbin:/sbin';

export interface ServiceEnvironment {
  readonly configFile: string;
  readonly stateDir: string;
  /** With user and password, for the embedded server. */
  readonly natsUrl: string | undefined;
  readonly folder: string | undefined;
}

/** `node services/<name>/main.ts`: the same Node, the configuration by path, secrets by file. */
export function serviceProgram(
  name: ServiceName,
  { configFile, stateDir, natsUrl, folder = SERVICES }: ServiceEnvironment,
  onLine: (name: string, line: string) => void,
): Program {
  return {
    name,
    file: process.execPath,
    args: [join(folder, name, 'main.ts')],
    env: {
      ...inherited(),
      PATH: `${process.env.PATH ?? ''}:${SYSTEM_PATH}`,
      CULVERT_CONFIG: configFile,
      CULVERT_STATE: stateDir,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(stateDir, 'compiled'),
      ...(natsUrl === undefined ? {} : { CULVERT_NATS_URL: natsUrl }),
    },
    onLine: (line) => onLine(name, line),
  };
}

function inherited(): Record<string, string> {
  const given = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(given);
}

/** Calls `ready` for each service when it says that it serves; answers when all do. */
export async function awaitServing(
  bus: Bus,
  names: readonly ServiceName[],
  ready: (status: ServiceStatus) => void,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      for (;;) {
        signal.throwIfAborted();
        const status = await bus
          .request<ServiceStatus>(subjects.admin.status(name), {}, { timeoutMs: ASK_MS })
          .catch(() => undefined);
        if (status?.state === 'serving') return ready(status);
        await sleep(POLL_MS, undefined, { signal });
      }
    }),
  );
}
