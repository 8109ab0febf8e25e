import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { attempt, command } from '../../interop/lab/command.ts';
import type { Options, Peer } from './options.ts';
import { installed, type Programs } from './tunnel.ts';

const CACHE = resolve(import.meta.dirname, '../../../.cache/bench');
const LOAD = join(import.meta.dirname, 'load');
const LOAD_SOURCES = ['main.cc', 'endpoint.cc', 'send.cc', 'receive.cc'];
const LOAD_HEADERS = ['endpoint.h', 'send.h', 'receive.h'];
/** Upstream has no tags that modules know: this is the newest commit when the benchmark was written. */
const WIREGUARD_GO = 'v0.0.0-20260522210424-ecfc5a8d5446';
const BUILD_MS = 600_000;

/** What Debian calls the packages that a peer takes, and the programs by which one knows them. */
const PACKAGES: Readonly<Record<Peer, { readonly programs: readonly string[]; readonly names: string }>> = {
  openvpn: { programs: ['openvpn', 'openssl'], names: 'openvpn openssl' },
  libipsec: {
    programs: [
      'charon',
      'swanctl',
      ...['openssl', 'curve25519', 'kernel-libipsec'].map((plugin) => `plugins/libstrongswan-${plugin}.so`),
    ],
    names:
      'strongswan-charon strongswan-swanctl libcharon-extra-plugins libstrongswan-{standard,extra}-plugins',
  },
  softether: {
    programs: ['vpnserver', 'vpncmd', 'linux.uml', 'mmdebstrap', 'nft'],
    names: 'softether-vpnserver softether-vpncmd user-mode-linux mmdebstrap nftables e2fsprogs',
  },
  'wireguard-go': { programs: ['wg', 'go'], names: 'wireguard-tools golang-go' },
};

/** Compiles what is not there yet or older than its sources. */
export async function buildPrograms(options: Options, peers: ReadonlySet<Peer>): Promise<Programs> {
  mkdirSync(CACHE, { recursive: true });
  demand('the benchmark', ['iperf3', 'ethtool', 'ip'], 'iperf3 ethtool iproute2');
  for (const peer of peers) demand(peer, PACKAGES[peer].programs, PACKAGES[peer].names);
  return {
    load: await compiled('load', [process.env.CXX ?? 'g++', '-O2', '-std=c++20', '-Wall', '-Wextra'], {
      sources: LOAD_SOURCES.map((file) => join(LOAD, file)),
      headers: LOAD_HEADERS.map((file) => join(LOAD, file)),
      libraries: [],
    }),
    prototype: options.prototype === undefined ? undefined : await prototype(options.prototype),
    wireguardGo: peers.has('wireguard-go') ? await wireguardGo() : undefined,
  };
}

function demand(who: string, programs: readonly string[], names: string): void {
  const missing = programs.filter((program) => installed(program) === undefined);
  if (missing.length === 0) return;
  throw new Error(`${who}: no ${missing.join(', ')}; apt-get install ${names}`);
}

/** By our own warnings it is not measured. */
function prototype(folder: string): Promise<string> {
  return compiled('prototype', ['gcc', '-O3', '-march=native', '-w', '-pthread'], {
    sources: [join(resolve(folder), 'src/proto.c')],
    headers: [],
    libraries: ['-lIPSec_MB', '-lcrypto'],
  });
}

interface Parts {
  readonly sources: readonly string[];
  readonly headers: readonly string[];
  readonly libraries: readonly string[];
}

async function compiled(name: string, compiler: readonly string[], parts: Parts): Promise<string> {
  const output = join(CACHE, name);
  const changed = Math.max(...[...parts.sources, ...parts.headers].map((file) => statSync(file).mtimeMs));
  if (existsSync(output) && statSync(output).mtimeMs > changed) return output;
  const [program = '', ...flags] = compiler;
  await command(program, ...flags, '-D_GNU_SOURCE', '-o', output, ...parts.sources, ...parts.libraries);
  return output;
}

/** The command of the module's root, named after the module. */
async function wireguardGo(): Promise<string> {
  const folder = join(CACHE, `wireguard-go-${WIREGUARD_GO}`);
  const output = join(folder, 'wireguard');
  if (existsSync(output)) return output;
  const words = [`GOBIN=${folder}`, 'go', 'install', `golang.zx2c4.com/wireguard@${WIREGUARD_GO}`];
  const { status, output: said } = await attempt('env', words, BUILD_MS);
  if (status !== 0) throw new Error(`wireguard-go was not built:\n${said}`);
  return output;
}

async function packageVersion(name: string): Promise<string> {
  return (await attempt('dpkg-query', ['-W', name])).output.trim().split('\t').at(-1) ?? '';
}

/** Versions of what is compared with, for the report. */
export async function versions(peers: ReadonlySet<Peer>): Promise<Record<string, string>> {
  const line = async (program: string, ...args: readonly string[]) =>
    (await attempt(installed(program) ?? program, args)).output.trim().split('\n')[0] ?? '';
  const found: Record<string, string> = { iperf3: await line('iperf3', '--version') };
  if (peers.has('openvpn')) found.openvpn = (await line('openvpn', '--version')).replace(/ \[.*/, '');
  if (peers.has('libipsec')) found.libipsec = await line('charon', '--version');
  if (peers.has('softether')) found.softether = await packageVersion('softether-vpnserver');
  if (peers.has('wireguard-go')) found['wireguard-go'] = WIREGUARD_GO;
  return found;
}
