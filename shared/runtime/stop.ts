import type { Telemetry } from '@culvert/telemetry';

export interface Stopping {
  onStop(stop: () => Promise<void> | void): void;
  readonly stopping: boolean;
  /** Runs the hooks in reverse order of registration, once; answers when all are through or time is up. */
  stop(): Promise<void>;
}

/** The launcher kills what is still there after ten seconds. */
const STOP_MAX_MS = 9000;

export function stopping(telemetry: Telemetry): Stopping {
  const hooks: (() => Promise<void> | void)[] = [];
  let running: Promise<void> | undefined;
  const runHooks = async () => {
    for (const hook of hooks.reverse()) {
      try {
        await hook();
      } catch (error) {
        telemetry.log.error({ error }, 'a stop hook failed');
      }
    }
  };
  return {
    onStop: (hook) => void hooks.push(hook),
    get stopping() {
      return running !== undefined;
    },
    stop() {
      running ??= within(STOP_MAX_MS, runHooks(), () => telemetry.log.error({}, 'stopping took too long'));
      return running;
    },
  };
}

async function within(limitMs: number, work: Promise<void>, late: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    late();
    resolve();
  }, limitMs);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
