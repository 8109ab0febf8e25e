import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, type Exit, exitText, type Program, startChild } from './child.ts';
import { NEVER_ENDED, restartAfter } from './restart.ts';

/** Keeps one program running until it is told to stop. */
export interface Supervised {
  readonly name: string;
  readonly pid: number | undefined;
  readonly starts: number;
  /** The last lines it said, for the message when it keeps ending. */
  readonly lastWords: readonly string[];
  stop(graceMs: number): Promise<void>;
}

export interface SupervisorEvents {
  started?(name: string, pid: number | undefined): void;
  ended(name: string, text: string, restartInMs: number): void;
  /** It ends again and again. The supervisor goes on; the caller may give up. */
  looping(supervised: Supervised): void;
}

const WORDS_KEPT = 5;

export function supervise(program: Program, events: SupervisorEvents): Supervised {
  const stopping = new AbortController();
  const lastWords: string[] = [];
  let child: Child | undefined;
  let starts = 0;

  const run = (): Promise<Exit> => {
    starts += 1;
    child = startChild({
      ...program,
      onLine: (line, stream) => {
        if (lastWords.push(line) > WORDS_KEPT) lastWords.shift();
        program.onLine(line, stream);
      },
    });
    events.started?.(program.name, child.pid);
    return child.exited;
  };

  const forever = async () => {
    let state = NEVER_ENDED;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const exit = await run();
      child = undefined;
      if (stopping.signal.aborted) return;
      const restart = restartAfter(state, startedAt, performance.now());
      state = restart.state;
      events.ended(program.name, exitText(exit), restart.delayMs);
      if (restart.crashLoop) events.looping(supervised);
      await sleep(restart.delayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const supervised: Supervised = {
    name: program.name,
    get pid() {
      return child?.pid;
    },
    get starts() {
      return starts;
    },
    lastWords,
    async stop(graceMs) {
      stopping.abort();
      await child?.stop(graceMs);
      await done;
    },
  };
  const done = forever();
  return supervised;
}
