import { systemClock } from '@culvert/host';
import { cpuSecondsOf, kernelThreads, machineCpuSeconds } from '../processes.ts';

const LOOK_MS = 400;
/** So much of one core may be used by others on a machine that is called quiet. */
const QUIET_CORES_MAX = 0.3;

/** Processor time of a test, in seconds. */
export interface Spent {
  readonly ends: readonly number[];
  /** Cores that neither the ends nor the load nor their interrupts account for. */
  readonly foreignCores: number;
}

/** Reads the processors' clocks before a test; the answer reads them again after it. */
export function startMeter(pids: readonly number[]): (loadCpuSeconds: () => number) => Spent {
  const interrupts = kernelThreads('ksoftirqd');
  const read = () => ({
    ends: pids.map(cpuSecondsOf),
    interrupts: sum(interrupts.map(cpuSecondsOf)),
    machine: machineCpuSeconds(),
    elapsedMs: systemClock.elapsed(),
  });
  const before = read();
  return (loadCpuSeconds) => {
    const after = read();
    const ends = after.ends.map((seconds, end) => seconds - (before.ends[end] ?? 0));
    const known = sum(ends) + after.interrupts - before.interrupts + loadCpuSeconds();
    const foreign = after.machine - before.machine - known;
    const seconds = (after.elapsedMs - before.elapsedMs) / 1000;
    return { ends, foreignCores: Math.max(0, foreign) / seconds };
  };
}

/** Waits until the machine does nothing else, though no longer than this. */
export async function quiet(seconds: number): Promise<void> {
  const until = systemClock.elapsed() + seconds * 1000;
  while (systemClock.elapsed() < until) {
    const before = machineCpuSeconds();
    await pause(LOOK_MS);
    if (((machineCpuSeconds() - before) * 1000) / LOOK_MS < QUIET_CORES_MAX) return;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(ms, resolve));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
