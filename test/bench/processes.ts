import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** What one process has used: seconds of processor time, octets of memory of its own (proportional set size). */
export interface Usage {
  readonly cpuSeconds: number;
  readonly bytes: number;
}

/** The stages of the gateway by name, from the command lines of a launcher's children. */
export function stagesOf(launcher: number): ReadonlyMap<string, number> {
  const stages = new Map<string, number>();
  for (const pid of descendants(launcher)) {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const service = command
      .map((word) => /services\/(edge|ike|l2tp|ppp|aaa)\/main\.ts$/.exec(word)?.[1])
      .find(Boolean);
    if (service !== undefined) stages.set(service, pid);
    else if (command.some((word) => word.endsWith('nats-server'))) stages.set('nats', pid);
  }
  return stages;
}

export function usageOf(pid: number): Usage {
  const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return { cpuSeconds: cpuSecondsOf(pid), bytes: Number(pss?.[1] ?? 0) * 1024 };
}

export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What all processors together did, whoever asked for it. */
export function machineCpuSeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** Octets of memory a process holds, those it shares included. */
export function residentOctetsOf(pid: number): number {
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(rss?.[1] ?? 0) * 1024;
}

/** The kernel's threads of this name, `ksoftirqd` for one. */
export function kernelThreads(name: string): number[] {
  const processes = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return processes.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith(name);
    } catch {
      // A process that ended while we looked.
      return false;
    }
  });
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // A process that ended while we looked.
    }
  }
  const found: number[] = [];
  for (let next = [root]; next.length > 0; next = next.flatMap((pid) => children.get(pid) ?? []))
    found.push(...next);
  return found;
}
