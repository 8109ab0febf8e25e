import type { Declaration } from '../pipeline/index.ts';
import type { PlaneCommand } from '../service/plane.ts';
import { prefixesOf } from './elsewhere.ts';
import type { WorkerCommand } from './task.ts';

/**
 * Which worker gets which command. A session lives where its SAs' steering bits say (the low octet of the
 * SPI); its calls and links wait until an SA has told where that is.
 */
export interface Dispatch {
  dispatch(command: PlaneCommand): void;
  /** Everything that a worker knows, for one that takes its place. */
  repeat(worker: number): void;
}

interface Home {
  worker: number | undefined;
  readonly declared: Map<string, Declaration>;
}

const STEERING = 0xff;

export function createDispatch(
  workers: number,
  post: (worker: number, command: WorkerCommand) => void,
): Dispatch {
  const homes = new Map<string, Home>();
  let policy: Extract<PlaneCommand, { type: 'policy' }> | undefined;

  const declare = (declaration: Declaration) => {
    const home: Home = homes.get(declaration.session) ?? { worker: undefined, declared: new Map() };
    homes.set(declaration.session, home);
    if (declaration.entries.length === 0) home.declared.delete(declaration.bucket);
    else home.declared.set(declaration.bucket, declaration);
    const at = home.worker ?? workerOf(declaration, workers);
    if (at !== undefined) {
      const first = home.worker === undefined;
      home.worker = at;
      const all = first ? [...home.declared.values()] : [declaration];
      for (const one of all) post(at, { type: 'declare', declaration: one });
      tellOthers(at, declaration.session, home);
    }
    if (home.declared.size === 0) homes.delete(declaration.session);
  };

  const tellOthers = (worker: number, session: string, home: Home) => {
    const prefixes = prefixesOf(home.declared.values());
    for (let other = 0; other < workers; other += 1) {
      if (other !== worker) post(other, { type: 'elsewhere', session, worker, prefixes });
    }
  };

  return {
    repeat(worker) {
      if (policy !== undefined) post(worker, policy);
      for (const [session, home] of homes) {
        if (home.worker === worker) {
          for (const declaration of home.declared.values()) post(worker, { type: 'declare', declaration });
        } else if (home.worker !== undefined) {
          const prefixes = prefixesOf(home.declared.values());
          post(worker, { type: 'elsewhere', session, worker: home.worker, prefixes });
        }
      }
    },
    dispatch(command) {
      if (command.type === 'declare') return declare(command.declaration);
      if (command.type === 'policy') {
        policy = command;
        for (let worker = 0; worker < workers; worker += 1) post(worker, command);
        return;
      }
      const session = sessionOf(command);
      post((session === undefined ? undefined : homes.get(session)?.worker) ?? 0, command);
    },
  };
}

function workerOf(declaration: Declaration, workers: number): number | undefined {
  const sa = declaration.entries.find((entry) => entry.kind === 'sa');
  return sa === undefined ? undefined : (sa.inboundSpi & STEERING) % workers;
}

function sessionOf(command: Exclude<PlaneCommand, { type: 'declare' | 'policy' }>): string | undefined {
  switch (command.type) {
    case 'grant':
    case 'ike':
      return command.session;
    case 'l2tp':
      return command.datagram.session;
    case 'ppp':
      return command.frame.session;
  }
}
