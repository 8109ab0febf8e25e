import { createHash } from 'node:crypto';
import type { CallEntry, EspEncryption, EspIntegrity, EspKeys, LinkEntry, SaEntry } from '@culvert/contracts';
import { formatAddress } from '@culvert/wire/ip';
import type { Declaration } from '../pipeline/index.ts';

/** One end of a measurement: which sessions its engine gets, all written by hand. */
export interface BenchEnd {
  /** 0 stands for the clients, 1 for the gateway. */
  readonly role: 0 | 1;
  readonly local: string;
  readonly peer: string;
  readonly suite: Suite;
  readonly sessions: number;
  readonly mtu: number;
  /** Of both the outer and the inner packets. */
  readonly family: 4 | 6;
}

/** What `end.ts` is told. */
export interface EndConfig extends BenchEnd {
  readonly workers: number;
  readonly tun: string;
  readonly backend: string;
  readonly coalesce: boolean;
  readonly gso: boolean;
  readonly gro: boolean;
}

export const SUITES = {
  'aes-gcm-16-256': { encryption: 'aes-gcm-16-256', integrity: 'none', octets: [32, 0, 4] },
  'aes-gcm-16-128': { encryption: 'aes-gcm-16-128', integrity: 'none', octets: [16, 0, 4] },
  'aes-cbc-256+hmac-sha1-96': { encryption: 'aes-cbc-256', integrity: 'hmac-sha1-96', octets: [32, 20, 0] },
  'aes-cbc-256+hmac-sha2-256-128': {
    encryption: 'aes-cbc-256',
    integrity: 'hmac-sha2-256-128',
    octets: [32, 32, 0],
  },
} as const satisfies Record<
  string,
  { encryption: EspEncryption; integrity: EspIntegrity; octets: readonly [number, number, number] }
>;

export type Suite = keyof typeof SUITES;

const L2TP_PORT = 1701;
const NAT_TRAVERSAL_PORT = 4500;
const STEERING = 0xff;
const NEVER = 8.64e15;

/** Session 0 talks between 10.100.0.1 and 10.101.0.1, or fd00:100:0:0::1 and fd00:101:0:0::1; and so on. */
export function innerAddress(role: 0 | 1, session: number, family: 4 | 6): string {
  if (family === 6) return `fd00:10${role}:0:${session.toString(16)}::1`;
  const host = session + 1;
  return formatAddress(
    Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 100 + role + (host >>> 16), host >>> 8, host),
  );
}

export function sessionName(session: number): string {
  return (session + 1).toString(16).padStart(16, '0');
}

/** The low octet steers, so neighbours take turns at the workers. */
export function inboundSpi(role: number, session: number): number {
  return ((role + 1) * 2 ** 28 + session * 2 ** 8 + (session & STEERING)) >>> 0;
}

export function declarationOf(end: BenchEnd, session: number): Declaration {
  const name = sessionName(session);
  return {
    session: name,
    bucket: 'bench',
    entries: [saOf(end, session, name), callOf(end, name), linkOf(end, session, name)],
  };
}

function saOf(end: BenchEnd, index: number, session: string): SaEntry {
  const other = 1 - end.role;
  const { encryption, integrity } = SUITES[end.suite];
  return {
    kind: 'sa',
    session,
    trace: '',
    inboundSpi: inboundSpi(end.role, index),
    outboundSpi: inboundSpi(other, index),
    encryption,
    integrity,
    inbound: keysOf(end.suite, end.role, index),
    outbound: keysOf(end.suite, other, index),
    flow: {
      local: { address: end.local, port: NAT_TRAVERSAL_PORT },
      remote: { address: end.peer, port: NAT_TRAVERSAL_PORT },
    },
    encapsulation: 'udp',
    selector: { localPort: L2TP_PORT, remotePort: L2TP_PORT },
    createdAt: 0,
    expiresAt: NEVER,
  };
}

/** Both ends make the same keys from the same words. They protect what a measurement sends to itself. */
function keysOf(suite: Suite, receiver: number, index: number): EspKeys {
  const [encryption, integrity, salt] = SUITES[suite].octets;
  const octets = createHash('sha512').update(`culvert bench ${receiver} ${index}`).digest();
  return {
    encryption: new Uint8Array(octets.subarray(0, encryption)),
    integrity: new Uint8Array(octets.subarray(32, 32 + integrity)),
    salt: new Uint8Array(octets.subarray(60, 60 + salt)),
  };
}

function callOf(end: BenchEnd, session: string): CallEntry {
  const id = (role: number) => ({ tunnel: 10 + role, call: 20 + role });
  return {
    kind: 'call',
    session,
    trace: '',
    innerPorts: { local: L2TP_PORT, remote: L2TP_PORT },
    ours: id(end.role),
    theirs: id(1 - end.role),
    sequencing: false,
  };
}

function linkOf(end: BenchEnd, index: number, session: string): LinkEntry {
  const other = end.role === 0 ? 1 : 0;
  const address = innerAddress(other, index, end.family);
  return {
    kind: 'link',
    session,
    trace: '',
    call: 20 + end.role,
    user: 'bench',
    ...(end.family === 4
      ? { ipv4: { address } }
      : {
          ipv6: { prefix: address.replace(/::1$/, '::'), prefixLength: 64, interfaceId: new Uint8Array(8) },
        }),
    mtuToPeer: end.mtu,
    mruFromPeer: end.mtu,
    pfcToPeer: false,
    acfcToPeer: false,
  };
}
