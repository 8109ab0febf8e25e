import { concat, hex, malformed, type Parsed, viewOf } from '@culvert/wire';
import {
  type EspHeader,
  type EspPlain,
  emitEspHeader,
  emitEspTrailer,
  emitMarked,
  espPlainLength,
  parseEspHeader,
  parseEspPlain,
  parseUdpEncapsulated,
  type UdpEncapsulated,
} from '@culvert/wire/esp';
import {
  type AddressOctets,
  checksumOf,
  clampMss,
  emitEchoReply4,
  emitFragmentationNeeded,
  emitIpv4Header,
  emitIpv6Header,
  emitPacketTooBig,
  emitUdpHeader,
  formatAddress,
  fragmentIpv4,
  hasSourceRoute,
  ICMPV6,
  type Ipv4Packet,
  type Ipv6Packet,
  isIcmp4Error,
  isIcmp6Error,
  type Prefix,
  parseAddress,
  parseIpv4,
  parseIpv6,
  parsePrefix,
  parseRouterAdvertisement,
  parseRouterSolicitation,
  parseTcp,
  parseUdp,
  pseudoHeaderSum,
  type RouterAdvertisement,
  routerAdvertisementPacket,
  routerSolicitationPacket,
  sumOf,
  type TcpView,
  type UdpDatagram,
} from '@culvert/wire/ip';
import { describe, test } from 'vitest';
import { icmpEcho, udpPacket } from '../scenario/packets.ts';
import type { Chance } from '../sim/chance.ts';
import { type Decoder, fuzzDecoder } from './decoder.ts';
import { mutated } from './mutate.ts';
import { FUZZ_TIMEOUT_MS, fuzz, roundsOf } from './run.ts';

const ADDRESS = hex('fe800000000000000000000000000001');
const ALL_NODES = hex('ff020000000000000000000000000001');
const text = (letters: string) => new TextEncoder().encode(letters);

const espHeader: Decoder<EspHeader> = {
  name: 'ESP header',
  corpus: [hex('0000010000000001'), hex('ffffffffffffffff00')],
  parse: parseEspHeader,
  emit(value) {
    const octets = new Uint8Array(8).fill(0x5a);
    emitEspHeader(value, octets);
    return octets;
  },
};

function espPlainOctets({ payload, nextHeader }: EspPlain): Uint8Array {
  const octets = new Uint8Array(espPlainLength(payload.length, 16)).fill(0x5a);
  octets.set(payload);
  emitEspTrailer(octets, payload.length, octets.length, nextHeader);
  return octets;
}

const espPlain: Decoder<EspPlain> = {
  name: 'ESP plaintext',
  corpus: [0, 1, 30, 300].map((length) =>
    espPlainOctets({ payload: new Uint8Array(length).fill(7), nextHeader: 17 }),
  ),
  parse: parseEspPlain,
  emit: espPlainOctets,
};

const encapsulated: Decoder<UdpEncapsulated> = {
  name: 'UDP encapsulation',
  corpus: [hex('ff'), emitMarked(hex('0102030405060708')), hex('0000010000000001aabbccdd')],
  parse: parseUdpEncapsulated,
  emit: (value) =>
    value.kind === 'keepalive' ? hex('ff') : value.kind === 'ike' ? emitMarked(value.octets) : value.octets,
};

const ipv4WithOptions = (() => {
  const options = hex('8307040a000001009404000001000000');
  const packet = new Uint8Array(20 + options.length + 8).fill(0x5a);
  const of = parseIpv4(icmpEcho('10.0.0.1', '10.0.0.2', 8, 1));
  if (of.ok) emitIpv4Header({ ...of.value, options }, 8, packet);
  return packet;
})();

/** Behind a right checksum a lie is more interesting. */
function repairIpv4(octets: Uint8Array): void {
  const end = ((octets[0] ?? 0) & 0x0f) * 4;
  if (end < 20 || end > octets.length) return;
  octets.fill(0, 10, 12);
  viewOf(octets).setUint16(10, checksumOf(sumOf(octets, 0, end)));
}

function repairIcmp6(octets: Uint8Array): void {
  const end = octets.length < 48 ? 0 : 40 + viewOf(octets).getUint16(4);
  if (end < 48 || end > octets.length) return;
  octets.fill(0, 42, 44);
  const sum = pseudoHeaderSum(octets.subarray(8, 24), octets.subarray(24, 40), ICMPV6, end - 40);
  viewOf(octets).setUint16(42, checksumOf(sumOf(octets, 40, end, sum)));
}

const ipv4: Decoder<Ipv4Packet> = {
  name: 'IPv4',
  corpus: [
    icmpEcho('10.0.0.1', '10.0.0.2', 8, 1),
    udpPacket('10.0.0.1', '10.0.0.2', 1, 53, 40),
    ipv4WithOptions,
  ],
  parse: parseIpv4,
  repair: repairIpv4,
  emit(value) {
    hasSourceRoute(value.options);
    isIcmp4Error(value.payload);
    const octets = new Uint8Array(value.headerLength + value.payload.length);
    octets.set(value.payload, emitIpv4Header(value, value.payload.length, octets));
    return octets;
  },
};

const ipv6Sample = (nextHeader: number, payload: Uint8Array) => {
  const packet = new Uint8Array(40 + payload.length);
  const fields = { nextHeader, hopLimit: 64, source: ADDRESS, destination: ALL_NODES };
  packet.set(payload, emitIpv6Header(fields, payload.length, packet));
  return packet;
};

const ipv6: Decoder<Ipv6Packet> = {
  name: 'IPv6',
  corpus: [
    ipv6Sample(17, hex('0001000200080000')),
    ipv6Sample(
      0,
      concat(
        hex('3c00000000000000'),
        hex('2b00000000000000'),
        hex('2c00000000000000'),
        hex('1100000100000001'),
      ),
    ),
    ipv6Sample(44, hex('11000008 00000001 aabb')),
  ],
  parse: parseIpv6,
  emit(value) {
    isIcmp6Error(value.payload);
    return ipv6Sample(value.nextHeader, value.payload);
  },
  kept: ({ source: _s, destination: _d, hopLimit: _h, ...rest }) => rest,
};

const udp: Decoder<UdpDatagram> = {
  name: 'UDP',
  corpus: [udpPacket('10.0.0.1', '10.0.0.2', 1701, 1701, 30).subarray(20)],
  parse: parseUdp,
  emit(value) {
    const octets = new Uint8Array(8 + value.payload.length);
    octets.set(value.payload, emitUdpHeader(value, value.payload.length, octets));
    return octets;
  },
  kept: ({ checksum: _, ...rest }) => rest,
};

const SYN = hex('c0010050 00000001 00000000 7002 ffff 0000 0000 020405b4 01030308');
const tcp: Decoder<TcpView> = {
  name: 'TCP',
  corpus: [SYN, hex('c0010050 00000001 00000000 8002 ffff 0000 0000 01 020405b4 0204ffff 010100')],
  parse: parseTcp,
};

const ADVERTISEMENT: RouterAdvertisement = {
  source: ADDRESS,
  destination: ALL_NODES,
  curHopLimit: 64,
  routerLifetime: 1800,
  mtu: 1400,
  prefix: {
    address: hex('20010db8000000000000000000000000'),
    length: 64,
    validLifetime: 10,
    preferredLifetime: 5,
  },
  dns: [ADDRESS, ADDRESS],
  dnsLifetime: 1800,
};
const advertisement: Decoder<RouterAdvertisement> = {
  name: 'Router Advertisement',
  corpus: [
    routerAdvertisementPacket(ADVERTISEMENT),
    routerAdvertisementPacket({ ...ADVERTISEMENT, dns: [] }),
  ],
  parse: parseRouterAdvertisement,
  repair: repairIcmp6,
  emit: (value) => (value.dns.length > 100 ? undefined : routerAdvertisementPacket(value)),
};

const solicitation: Decoder<unknown> = {
  name: 'Router Solicitation',
  corpus: [routerSolicitationPacket(ADDRESS, ALL_NODES)],
  parse: parseRouterSolicitation,
  repair: repairIcmp6,
};

const decoded = (octets: Uint8Array) => new TextDecoder('latin1').decode(octets);

/** Offsets of text count characters. */
const address: Decoder<AddressOctets> = {
  name: 'address text',
  corpus: ['192.0.2.1', '2001:db8::1', '::', '::ffff:192.0.2.1', '1:2:3:4:5:6:7:8'].map(text),
  parse: (octets) => parseAddress(decoded(octets)),
  emit: (value) => text(formatAddress(value)),
  makes: true,
};

const prefix: Decoder<Prefix> = {
  name: 'prefix text',
  corpus: ['192.0.2.0/24', '2001:db8::/32', '10.0.0.1', '::/0'].map(text),
  parse: (octets): Parsed<Prefix> => {
    const read = parsePrefix(decoded(octets));
    return read.ok ? read : malformed(read.reason, Math.min(read.offset, octets.length));
  },
  emit: ({ address: of, bits }) => {
    const shown = formatAddress(of);
    return text(`${shown}/${shown.includes(':') ? bits : bits - 96}`);
  },
  makes: true,
};

/** What the data plane does with a packet it has read: neither throws nor grows without bound. */
function answered(chance: Chance): void {
  const packet = mutated(chance, [
    ...ipv4.corpus,
    ...ipv6.corpus,
    concat(icmpEcho('10.0.0.1', '10.0.0.2', 8, 1).subarray(0, 20), SYN),
  ]);
  repairIpv4(packet);
  const four = hex('0a000001');
  if (emitFragmentationNeeded(packet, four, four, 1400).length > 576) throw new Error('a long ICMP error');
  if (emitPacketTooBig(packet, ADDRESS, ADDRESS, 1400).length > 1280) throw new Error('a long ICMPv6 error');
  emitEchoReply4(packet.subarray(0, 65_000), four, four);
  clampMss(packet.slice(), chance.below(0x1_0000));
  const whole = parseIpv4(packet);
  if (!whole.ok) return;
  const mtu = 68 + chance.below(1500);
  const pieces = fragmentIpv4(whole.value, mtu);
  const covered = pieces.reduce((sum, piece) => {
    const read = parseIpv4(piece);
    if (!read.ok) throw new Error(`a fragment of ours is ${read.reason}`);
    if (piece.length > mtu) throw new Error('a fragment longer than the MTU');
    return sum + read.value.payload.length;
  }, 0);
  if (pieces.length > 0 && covered !== whole.value.payload.length) throw new Error('fragments lose octets');
}

describe('ESP and IP decoders', () => {
  const all: readonly Decoder<unknown>[] = [
    espHeader,
    espPlain,
    encapsulated,
    ipv4,
    ipv6,
    udp,
    tcp,
    advertisement,
    solicitation,
    address,
    prefix,
  ];
  for (const target of all) {
    test(target.name, { timeout: FUZZ_TIMEOUT_MS }, () => fuzzDecoder(target));
  }

  test('what the data plane makes of packets', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fuzz('data plane', roundsOf(), answered);
  });
});
