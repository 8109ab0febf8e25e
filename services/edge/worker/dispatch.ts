import type { Declaration } from '../pipeline/index.ts';
import type { PlaneCommand } from '../service/plane.ts';
import { keysOf } from './elsewhere.ts';
import type { WorkerCommand } from './task.ts';

/**
 * Which worker gets which command. A session lives where its SAs' steering bits say (the low octet of the
 * SPI); its calls and links wait until an SA has told where that is.
 */
export interface Dispatch {
  dispatch(command: PlaneCommand): void;
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
    const keys = workers > 1 ? keysOf(home.declared.values()) : [];
    for (let other = 0; other < workers; other += 1) {
      if (other !== worker) post(other, { type: 'elsewhere', session, worker, keys });
    }
  };

  return {
    dispatch(command) {
      if (command.type === 'declare') return declare(command.declaration);
      if (command.type === 'policy') {
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
