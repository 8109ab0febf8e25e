import { ENDS, OUTER } from '../bed.ts';
import { deviceAppears, type Room, start, type Tunnel } from '../tunnel.ts';

const DEVICE = 'prototype0';
const INNER = ['10.99.0.1', '10.99.0.2'] as const;

/** The prototype in C by which the goals were set: what one machine can do without any control plane. */
export async function openPrototype(room: Room, flags: readonly string[]): Promise<Tunnel> {
  const { bed, programs } = room;
  const { prototype } = programs;
  if (prototype === undefined) throw new Error('the prototype was not built');
  const ends = ENDS.map((end) => {
    const [local, peer] = [OUTER[4][end], OUTER[4][1 - end] ?? ''];
    return start(room, end, [prototype, '-t', DEVICE, '-l', local, '-p', peer, '-R', String(end), ...flags]);
  });
  const close = async (): Promise<void> => {
    await Promise.all(ends.map((one) => one.stop()));
  };
  try {
    for (const end of ENDS) {
      await deviceAppears(bed, end, DEVICE);
      await bed.ip(end, `address add ${INNER[end]}/24 dev ${DEVICE}`);
      await bed.deviceUp(end, DEVICE);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const paths = [{ from: INNER[0], to: INNER[1] }];
  return { pids: ends.map(({ pid }) => pid), paths, device: DEVICE, close };
}
