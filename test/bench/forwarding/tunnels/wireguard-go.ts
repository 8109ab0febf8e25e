import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENDS, OUTER } from '../bed.ts';
import { deviceAppears, type Room, start, type Tunnel } from '../tunnel.ts';

const DEVICE = 'wggo';
const INNER = ['10.97.0.1', '10.97.0.2'] as const;
const PORT = 51820;

/** WireGuard in userland, of the version that the build names. */
export async function openWireguardGo(room: Room): Promise<Tunnel> {
  const { bed, programs, folder } = room;
  const program = programs.wireguardGo;
  if (program === undefined) throw new Error('wireguard-go was not built');
  const keys = [(await bed.run(0, 'wg', 'genkey')).trim(), (await bed.run(0, 'wg', 'genkey')).trim()];
  const files = keys.map((key, end) => {
    const file = join(folder, `wg${end}.key`);
    writeFileSync(file, key, { mode: 0o600 });
    return file;
  });
  const env = { LOG_LEVEL: 'error', WG_PROCESS_FOREGROUND: '1' };
  // Its control socket is named after the device and stands outside of the namespaces.
  const device = (end: number): string => `${DEVICE}${process.pid % 1_000_000}${end}`;
  const ends = ENDS.map((end) => start(room, end, [program, '-f', device(end)], env));
  const close = async (): Promise<void> => {
    await Promise.all(ends.map((one) => one.stop()));
  };
  try {
    for (const end of ENDS) {
      await deviceAppears(bed, end, device(end));
      const peer = await bed.run(0, 'sh', '-c', `wg pubkey <${files[1 - end]}`);
      const own = `listen-port ${PORT} private-key ${files[end]}`;
      const other = `peer ${peer.trim()} allowed-ips 0.0.0.0/0 endpoint ${OUTER[4][1 - end]}:${PORT}`;
      await bed.run(end, 'wg', 'set', device(end), ...`${own} ${other}`.split(' '));
      await bed.ip(end, `address add ${INNER[end]}/24 dev ${device(end)}`);
      await bed.deviceUp(end, device(end));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const paths = [{ from: INNER[0], to: INNER[1] }];
  return { pids: ends.map(({ pid }) => pid), paths, device: device(0), close };
}
