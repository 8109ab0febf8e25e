import { join } from 'node:path';
import { command } from '../../../interop/lab/command.ts';
import { ENDS, type End, INNER_MTU, OUTER } from '../bed.ts';
import { type Room, start, type Tunnel } from '../tunnel.ts';

const DEVICE = 'ovpn0';
const INNER = ['10.98.0.1', '10.98.0.2'] as const;
const PORT = 1194;
const SOCKET_OCTETS = 2 << 20;

/** OpenVPN 2.6 as a plain process (no kernel module), point to point, with AES-256-GCM. */
export async function openOpenvpn(room: Room): Promise<Tunnel> {
  const prints = [await certify(room, 0), await certify(room, 1)];
  const ends = ENDS.map((end) => start(room, end, ['openvpn', ...words(room, end, prints[1 - end] ?? '')]));
  const close = async (): Promise<void> => {
    await Promise.all(ends.map((one) => one.stop()));
  };
  try {
    await Promise.all(ends.map((one) => one.says(/Initialization Sequence Completed/)));
  } catch (error) {
    await close();
    throw error;
  }
  const paths = [{ from: INNER[0], to: INNER[1] }];
  return { pids: ends.map(({ pid }) => pid), paths, device: DEVICE, close };
}

/** A self-signed certificate; the answer is its fingerprint, by which the other end knows it. */
async function certify({ folder }: Room, end: End): Promise<string> {
  const [key, certificate] = [join(folder, `ovpn${end}.key`), join(folder, `ovpn${end}.crt`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const files = ['-subj', `/CN=end${end}`, '-keyout', key, '-out', certificate];
  await command('openssl', 'req', '-x509', ...curve, ...files);
  const shown = await command('openssl', 'x509', '-in', certificate, '-noout', '-fingerprint', '-sha256');
  return shown.split('=')[1]?.trim() ?? '';
}

function words({ folder }: Room, end: End, fingerprint: string): string[] {
  const options = [
    `dev ${DEVICE}`,
    'dev-type tun',
    'proto udp',
    'data-ciphers AES-256-GCM',
    'cipher AES-256-GCM',
    `tun-mtu ${INNER_MTU}`,
    'mssfix 0',
    `sndbuf ${SOCKET_OCTETS}`,
    `rcvbuf ${SOCKET_OCTETS}`,
    'txqueuelen 1000',
    'fast-io',
    'disable-dco',
    'verb 3',
    `ifconfig ${INNER[end]} ${INNER[1 - end]}`,
    `cert ${folder}/ovpn${end}.crt`,
    `key ${folder}/ovpn${end}.key`,
    `peer-fingerprint ${fingerprint}`,
    ...(end === 0
      ? ['tls-client', `remote ${OUTER[4][1]} ${PORT}`, 'nobind']
      : ['tls-server', `port ${PORT}`, 'dh none']),
  ];
  return options.flatMap((option) => `--${option}`.split(' '));
}
