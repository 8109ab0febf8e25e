import type { HostPorts } from './ports.ts';

const FIRST_MS = 100;
const CAP_MS = 5000;

/** 100 ms, doubled with every failure up to 5 s, of which a random half: peers must not repeat in step. */
export function backOffMs(ports: Pick<HostPorts, 'entropy'>, failures: number): number {
  const ceiling = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  const octets = ports.entropy.seed();
  const fraction = ((octets[0] ?? 0) * 256 + (octets[1] ?? 0)) / 65536;
  return ceiling * (0.5 + fraction / 2);
}

export function backOff(ports: Pick<HostPorts, 'entropy' | 'clock'>, failures: number): Promise<void> {
  return new Promise((resolve) => ports.clock.after(backOffMs(ports, failures), resolve));
}
