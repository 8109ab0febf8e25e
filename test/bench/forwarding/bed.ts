import { attempt, command } from '../../interop/lab/command.ts';

/** 0 stands for the clients, 1 for the gateway. */
export type End = 0 | 1;
export const ENDS: readonly End[] = [0, 1];

/** Outer addresses of both ends, by family. */
export const OUTER = { 4: ['10.88.0.1', '10.88.0.2'], 6: ['fd00:88::1', 'fd00:88::2'] } as const;
export const INNER_MTU = 1_400;
const OUTER_MTU = 1_500;
const QUEUE_PACKETS = 1_000;
const WIRE = 'wire';
const CUBIC = 'cubic';
const ALLOWED = 'net.ipv4.tcp_allowed_congestion_control';

/** Two network namespaces and the cable between them. */
export interface Bed {
  /** Program and arguments that run the given words at one end. */
  within(end: End, ...words: readonly string[]): [string, string[]];
  /** Runs a program at one end; anything but success throws. */
  run(end: End, ...words: readonly string[]): Promise<string>;
  /** `ip` with these words, at one end. */
  ip(end: End, words: string): Promise<string>;
  /** Sets a tunnel's device up as all are: the same MTU, the same queue. */
  deviceUp(end: End, device: string): Promise<void>;
  /** Without, every datagram crosses the cable by itself, as with a card that cannot segment UDP. */
  superPackets(on: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function createBed(): Promise<Bed> {
  const names = ENDS.map((end) => `culvert-bench-${process.pid}-${end}`);
  const name = (end: End): string => names[end] ?? '';
  const within: Bed['within'] = (end, ...words) => ['ip', ['netns', 'exec', name(end), ...words]];
  const run: Bed['run'] = (end, ...words) => {
    const [program, args] = within(end, ...words);
    return command(program, ...args);
  };
  const ip: Bed['ip'] = (end, words) => command('ip', '-n', name(end), ...words.split(' '));
  let allowed: string | undefined;
  const close = async (): Promise<void> => {
    for (const end of ENDS) await attempt('ip', ['netns', 'delete', name(end)]);
    if (allowed !== undefined) await command('sysctl', '-qw', `${ALLOWED}=${allowed}`);
    allowed = undefined;
  };
  const bed: Bed = {
    within,
    run,
    ip,
    close,
    deviceUp: async (end, device) => {
      await ip(end, `link set ${device} up mtu ${INNER_MTU} txqueuelen ${QUEUE_PACKETS}`);
    },
    superPackets: async (on) => {
      for (const end of ENDS) {
        await run(end, 'ethtool', '-K', WIRE, 'tx-udp-segmentation', on ? 'on' : 'off');
      }
    },
  };
  try {
    allowed = await allowCubic();
    await lay(bed, name);
  } catch (error) {
    await close();
    throw error;
  }
  return bed;
}

async function lay({ run, ip }: Bed, name: (end: End) => string): Promise<void> {
  for (const end of ENDS) await command('ip', 'netns', 'add', name(end));
  await ip(0, `link add ${WIRE} type veth peer name ${WIRE} netns ${name(1)}`);
  for (const end of ENDS) {
    await ip(end, 'link set lo up');
    await ip(end, `address add ${OUTER[4][end]}/24 dev ${WIRE}`);
    // Without duplicate address detection an address serves at once.
    await ip(end, `address add ${OUTER[6][end]}/64 dev ${WIRE} nodad`);
    await ip(end, `link set ${WIRE} up mtu ${OUTER_MTU}`);
    await run(end, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', `net.ipv4.tcp_congestion_control=${CUBIC}`);
  }
}

/**
 * A namespace may only choose among what the machine allows everybody. Answers what that was before. (A
 * connection that begins under BBR is paced by a timer for good, whatever it is told later, and the timer's work
 * is charged to whom it interrupts.)
 */
async function allowCubic(): Promise<string> {
  const before = (await command('sysctl', '-n', ALLOWED)).trim();
  if (!before.split(' ').includes(CUBIC)) await command('sysctl', '-qw', `${ALLOWED}=${before} ${CUBIC}`);
  return before;
}
