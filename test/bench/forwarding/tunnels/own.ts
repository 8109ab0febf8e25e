import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { innerAddress, type Suite } from '../../../../services/edge/bench/sessions.ts';
import { type Bed, ENDS, type End, INNER_MTU, OUTER } from '../bed.ts';
import { type Room, start, type Tunnel } from '../tunnel.ts';

/** In what two of our ends differ from one measurement to another. */
export interface OwnSettings {
  readonly workers: number;
  readonly sessions: number;
  readonly suite: Suite;
  /** Empty: the best there is. */
  readonly backend: '' | 'ipsec-mb' | 'openssl';
  /** Of the packets outside and inside. */
  readonly family: 4 | 6;
}

export const OWN: OwnSettings = {
  workers: 1,
  sessions: 1,
  suite: 'aes-gcm-16-256',
  backend: '',
  family: 4,
};

const PROGRAM = resolve(import.meta.dirname, '../../../../services/edge/bench/end.ts');
const DEVICE = 'culvert0';
/** More clients than this speak only through the load's own program, which takes any address. */
const PATHS_MAX = 2;

export async function openOwn(room: Room, settings: OwnSettings): Promise<Tunnel> {
  const ends = ENDS.map((end) =>
    start(room, end, [process.execPath, PROGRAM, configured(room, end, settings)]),
  );
  const close = async (): Promise<void> => {
    await Promise.all(ends.map((one) => one.stop()));
  };
  try {
    const said = await Promise.all(ends.map((one) => one.says(/^(\{"ready":true.*\})$/m)));
    const { backend } = JSON.parse(said[0] ?? '{}') as { backend: string };
    for (const end of ENDS) await address(room.bed, end, settings);
    const paths = Array.from({ length: Math.min(settings.sessions, PATHS_MAX) }, (_, session) => ({
      from: innerAddress(0, session, settings.family),
      to: innerAddress(1, session, settings.family),
    }));
    return { pids: ends.map(({ pid }) => pid), paths, device: DEVICE, about: backend, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function configured(room: Room, end: End, settings: OwnSettings): string {
  const file = join(room.folder, `end${end}.json`);
  const outer = OUTER[settings.family];
  const config = {
    role: end,
    local: outer[end],
    peer: outer[1 - end],
    tun: DEVICE,
    mtu: INNER_MTU,
    ...settings,
    coalesce: true,
    gso: true,
    gro: true,
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function address(bed: Bed, end: End, { family, sessions }: OwnSettings): Promise<void> {
  const prefix = (whose: number) => (family === 4 ? `10.${100 + whose}.0.0/16` : `fd00:10${whose}::/48`);
  const width = family === 4 ? '/32' : '/128 nodad';
  await bed.deviceUp(end, DEVICE);
  for (let session = 0; session < Math.min(sessions, PATHS_MAX); session += 1) {
    const [own, rest] = [innerAddress(end, session, family), width.split(' ')];
    await bed.ip(end, `address add ${own}${rest.shift()} dev ${DEVICE} ${rest.join(' ')}`.trim());
  }
  await bed.ip(end, `route add ${prefix(1 - end)} dev ${DEVICE} src ${innerAddress(end, 0, family)}`);
  // Every address of the prefix is this end's: ten thousand clients need no ten thousand addresses.
  if (family === 4) await bed.ip(end, `route add local ${prefix(end)} dev ${DEVICE}`);
}
