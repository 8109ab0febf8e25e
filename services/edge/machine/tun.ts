import { native } from '../native/index.ts';

/** One device with a queue for each worker. */
export interface Tun {
  readonly name: string;
  readonly queues: readonly number[];
  /** It takes UDP super-packets. */
  readonly udp: boolean;
  close(): void;
}

const REMEDIES: Readonly<Record<string, string>> = {
  EPERM: 'making a tun device needs root or CAP_NET_ADMIN',
  ENOENT: 'this machine has no /dev/net/tun: load the tun module, or give the container the device',
  EBUSY: 'another program uses this device: choose another name (edge.tun)',
  EINVAL: 'the device exists in another form: remove it, or choose another name (edge.tun)',
};

export function openTun(name: string, queues: number): Tun {
  const io = native();
  const opened: number[] = [];
  const close = () => {
    for (const fd of opened.splice(0)) io.closeDescriptor(fd);
  };
  try {
    const first = io.openTun(name, queues > 1);
    opened.push(first.fd);
    while (opened.length < queues) opened.push(io.openTun(first.name, true).fd);
    return { name: first.name, queues: [...opened], udp: first.udp, close };
  } catch (error) {
    close();
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const hint = REMEDIES[code];
    throw new Error(`tun ${name}: ${String(error)}${hint === undefined ? '' : `; ${hint}`}`, {
      cause: error,
    });
  }
}
