import { jsonSays, launch, plainSays } from '@culvert/service-gateway';
import type { Place } from '../link.ts';
import type { Terminal } from '../terminal.ts';

/** Runs until SIGINT or SIGTERM; a second one ends it at once. */
export async function up({ config, state }: Place, terminal: Terminal): Promise<void> {
  const write = (text: string) => void process.stdout.write(text);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(1);
      stop.abort();
    });
  }
  await launch({
    configFile: config,
    stateDir: state,
    says: terminal.json ? jsonSays(write) : plainSays(write, process.stdout.isTTY === true),
    stop: stop.signal,
  });
}
