import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, until } from '../../../interop/lab/command.ts';
import { ENDS, type End, OUTER } from '../bed.ts';
import { deviceAppears, installed, type Room, type Running, start, type Tunnel } from '../tunnel.ts';

const DEVICE = 'ipsec0';
const INNER = ['10.96.0.1', '10.96.0.2'] as const;
const SECRET = 'measured';
const START_MS = 15_000;

/** strongSwan with its ESP in userland: one charon in each namespace, with a /run of its own. */
export async function openLibipsec(room: Room): Promise<Tunnel> {
  const { bed } = room;
  const ends: Running[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(ends.map((one) => one.stop()));
    for (const end of ENDS) await bed.ip(end, `address flush dev lo to ${INNER[end]}`);
  };
  try {
    for (const end of ENDS) {
      await bed.ip(end, `address add ${INNER[end]}/32 dev lo`);
      ends.push(startCharon(room, end));
    }
    for (const one of ends) await swanctl(one, '--load-all');
    if (ends[0] !== undefined) await swanctl(ends[0], '--initiate', '--child', 'measured');
    for (const end of ENDS) {
      await deviceAppears(bed, end, DEVICE);
      await bed.deviceUp(end, DEVICE);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    pids: ends.map(({ pid }) => pid),
    paths: [{ from: INNER[0], to: INNER[1] }],
    device: DEVICE,
    close,
  };
}

function startCharon(room: Room, end: End): Running {
  const own = join(room.folder, `charon${end}`);
  for (const folder of ['run', 'swanctl']) mkdirSync(join(own, folder), { recursive: true });
  const settings = join(own, 'strongswan.conf');
  writeFileSync(settings, CHARON);
  writeFileSync(join(own, 'swanctl/swanctl.conf'), connection(end), { mode: 0o600 });
  const script = `mount --bind ${own}/run /run && mount --bind ${own}/swanctl /etc/swanctl &&
    exec ${installed('charon') ?? 'charon'}`;
  return start(room, end, ['unshare', '-m', 'sh', '-c', script], { STRONGSWAN_CONF: settings });
}

/** Asks the charon of one end, when it listens. */
async function swanctl({ pid }: Running, ...words: readonly string[]): Promise<void> {
  const inside = ['-t', String(pid), '-m', '-n', 'swanctl', ...words];
  let failure: unknown;
  const asked = async () => {
    try {
      return await command('nsenter', ...inside);
    } catch (error) {
      failure = error;
      return undefined;
    }
  };
  await until(`swanctl ${words.join(' ')}`, START_MS, asked).catch((late) => {
    throw new Error(`${late instanceof Error ? late.message : late}\n${failure}`);
  });
}

/** The openssl plugin stands first: the portable ciphers of the others are ten times slower. */
const CHARON = `charon {
  load = openssl random nonce hmac kdf curve25519 pem x509 pubkey socket-default kernel-libipsec kernel-netlink vici
  install_routes = yes
}
`;

function connection(end: End): string {
  const [own, peer] = [OUTER[4][end], OUTER[4][1 - end]];
  return `connections {
  tunnel {
    version = 2
    local_addrs = ${own}
    remote_addrs = ${peer}
    proposals = aes256gcm16-prfsha256-x25519
    encap = yes
    local {
      auth = psk
      id = ${own}
    }
    remote {
      auth = psk
      id = ${peer}
    }
    children {
      measured {
        local_ts = ${INNER[end]}/32
        remote_ts = ${INNER[1 - end]}/32
        esp_proposals = aes256gcm16
      }
    }
  }
}
secrets {
  ike-measured {
    secret = ${SECRET}
  }
}
`;
}
