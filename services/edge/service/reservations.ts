import { buckets } from '@culvert/contracts';
import type { Runtime } from '@culvert/runtime';
import type { DataPlane } from './plane.ts';
import { createSequences, type Sa, type Sequences } from './sequences.ts';

/** Sequence reservations of a service that may have started before NATS: until then SAs wait. */
export interface Reservations {
  want(sa: Sa): void;
  forget(sa: Sa): void;
  sweep(known: () => ReadonlySet<string>): void;
  stop(): void;
}

const RETRY_MS = 500;

export function createReservations(runtime: Runtime, plane: DataPlane): Reservations {
  const { clock, telemetry } = runtime;
  let sequences: Sequences | undefined;
  let stopped = false;
  const early: ((opened: Sequences) => void)[] = [];
  const withSequences = (use: (opened: Sequences) => void) => {
    if (sequences === undefined) early.push(use);
    else use(sequences);
  };

  const open = async (): Promise<void> => {
    try {
      const bucket = await runtime.bus.bucket(buckets.sequences);
      const opened = createSequences({
        bucket,
        clock,
        granted: (sa, block) =>
          plane.post({ type: 'grant', session: sa.session, inboundSpi: sa.inboundSpi, ...block }),
        failed: (sa, error) =>
          telemetry.log.error(
            { session: sa.session, error: String(error) },
            'sequence numbers could not be reserved',
          ),
      });
      sequences = opened;
      for (const use of early.splice(0)) use(opened);
    } catch (error) {
      if (stopped) return;
      telemetry.log.debug({ error: String(error) }, 'the bucket of sequence reservations is not there yet');
      clock.after(RETRY_MS, () => void open());
    }
  };

  void open();
  return {
    want: (sa) => withSequences((opened) => opened.want(sa)),
    forget: (sa) => withSequences((opened) => opened.forget(sa)),
    sweep: (known) => withSequences((opened) => opened.sweep(known)),
    stop() {
      stopped = true;
      sequences?.stop();
    },
  };
}
