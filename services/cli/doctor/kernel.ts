import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@culvert/config';
import { bad, doubtful, type Finding, good } from './finding.ts';

const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

/** linux/capability.h */
const NEEDED: readonly (readonly [name: string, bit: bigint, why: string])[] = [
  ['CAP_NET_ADMIN', 12n, 'the tun device and routes'],
  ['CAP_NET_RAW', 13n, 'ESP without UDP'],
  ['CAP_NET_BIND_SERVICE', 10n, 'UDP 500'],
];

export function privileges(): Finding[] {
  const status = read('/proc/self/status') ?? '';
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const lacking = NEEDED.filter(([, bit]) => (effective & (1n << bit)) === 0n);
  return lacking.length === 0
    ? [good('privileges', NEEDED.map(([name]) => name).join(', '))]
    : [
        bad(
          'privileges',
          `no ${lacking.map(([name, , why]) => `${name} (${why})`).join(', ')}`,
          'run as root, or grant these',
        ),
      ];
}

export function tunDevice(): Finding[] {
  try {
    closeSync(openSync('/dev/net/tun', constants.O_RDWR));
    return [good('tun', '/dev/net/tun opens')];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return [bad('tun', `/dev/net/tun: ${code}`, 'modprobe tun; in a container: --device /dev/net/tun')];
  }
}

export function networkTools(config: Config): Finding[] {
  const findings = [program('ip', ['-V'], 'iproute2')];
  const nft = program('nft', ['--version'], 'nftables');
  findings.push(config.edge.snat || nft.verdict === 'good' ? nft : { ...nft, verdict: 'doubtful' });
  if (nft.verdict === 'good' && config.edge.snat) {
    const { status, stderr } = spawnSync('nft', ['list', 'tables'], { encoding: 'utf8', env: { PATH } });
    const words = stderr.trim().split('\n')[0] ?? '';
    findings.push(
      status === 0
        ? good('nftables', 'answers')
        : bad('nftables', words, 'a kernel with nf_tables, and CAP_NET_ADMIN'),
    );
  }
  return findings;
}

function program(name: string, args: readonly string[], debianPackage: string): Finding {
  const { status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', env: { PATH } });
  return status === 0
    ? good(name, (stdout || stderr).trim().split('\n')[0] ?? '')
    : bad(name, 'not found', `apt-get install ${debianPackage}, or run deploy/setup`);
}

export function forwarding(): Finding[] {
  const path = '/proc/sys/net/ipv4/ip_forward';
  if (read(path)?.trim() === '1') return [good('forwarding', 'IPv4 is on')];
  try {
    accessSync(path, constants.W_OK);
    return [good('forwarding', 'IPv4 is off; culvert up can turn it on, for its clients alone')];
  } catch {
    return [
      doubtful('forwarding', 'IPv4 is off and cannot be turned on here', 'sysctl -w net.ipv4.ip_forward=1'),
    ];
  }
}

/** Between what the way to clients takes and what fits inside ESP, UDP, L2TP and PPP, with room to spare. */
const USUAL_OVERHEAD = 100;

/** ESP and L2TP cost some 90 octets; an outer MTU that is too large is lost without a word. */
export function mtu(config: Config): Finding[] {
  const device = /^(\S+)\t00000000\t/m.exec(read('/proc/net/route') ?? '')?.[1];
  if (device === undefined)
    return [doubtful('MTU', 'no default route', 'clients beyond the local network cannot be reached')];
  const has = Number(read(join('/sys/class/net', device, 'mtu')) ?? 0);
  return has >= config.edge.outerMtu
    ? [good('MTU', `${has} on ${device}`)]
    : [
        doubtful(
          'MTU',
          `${has} on ${device}, below edge.outerMtu (${config.edge.outerMtu})`,
          `set edge.outerMtu: ${has}${config.ppp.mru > has - USUAL_OVERHEAD ? ` and ppp.mru: ${has - USUAL_OVERHEAD}` : ''}`,
        ),
      ];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
