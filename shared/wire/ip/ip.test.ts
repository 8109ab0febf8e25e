import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex, toHex, viewOf } from '../octets.ts';
import {
  checksumOf,
  checksumUpdated,
  clampMss,
  contains,
  emitEchoReply4,
  emitFragmentationNeeded,
  emitIpv4Header,
  emitIpv6Header,
  emitPacketTooBig,
  emitUdpHeader,
  fillUdpChecksum,
  formatAddress,
  fragmentIpv4,
  hasSourceRoute,
  type Ipv4Packet,
  parseAddress,
  parseIpv4,
  parseIpv6,
  parsePrefix,
  parseTcp,
  parseUdp,
  pseudoHeaderSum,
  sumHolds,
  sumOf,
  udpChecksumHolds,
} from './index.ts';

const octets = (max: number) => fc.uint8Array({ maxLength: max });
const four = fc.uint8Array({ minLength: 4, maxLength: 4 });
const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
const address = (text: string) => {
  const read = parseAddress(text);
  if (!read.ok) throw new Error(text);
  return read.value;
};

describe('addresses', () => {
  // RFC 5952 §1 to §4 and its canonical forms.
  const canonical: readonly (readonly [string, string])[] = [
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
  ];
  test.each(canonical)('%s is %s', (text, expected) => expect(formatAddress(address(text))).toBe(expected));

  const refused = [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    'g::',
  ];
  const more = [
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '::1.2.3',
    '1.2.3.4::',
    '12345::',
    '::1%eth0',
    ' ::1',
  ];
  test.each([...refused, ...more])('%j is refused', (text) => expect(parseAddress(text).ok).toBe(false));

  test('text and octets round trip', () => {
    fc.assert(
      fc.property(sixteen, (value) => {
        expect(address(formatAddress(value))).toEqual(value);
      }),
    );
  });

  test('prefixes', () => {
    const holds = (text: string, inside: string) => {
      const prefix = parsePrefix(text);
      return prefix.ok && contains(prefix.value, address(inside));
    };
    expect(holds('10.99.0.0/16', '10.99.255.1')).toBe(true);
    expect(holds('10.99.0.0/16', '10.98.0.1')).toBe(false);
    expect(holds('10.99.1.77/20', '10.99.15.1')).toBe(true);
    expect(holds('0.0.0.0/0', '203.0.113.9')).toBe(true);
    expect(holds('0.0.0.0/0', '2001:db8::1')).toBe(false);
    expect(holds('2001:db8::/33', '2001:db8:8000::1')).toBe(false);
    expect(holds('2001:db8::1', '2001:db8::1')).toBe(true);
    for (const bad of ['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/x', '/8']) {
      expect(parsePrefix(bad).ok).toBe(false);
    }
  });
});

describe('checksums', () => {
  test('RFC 1624 §4: the corner that eqn. 2 gets wrong', () => {
    expect(checksumUpdated(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  test('an update equals the sum made anew', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 60 }),
        fc.nat(9),
        fc.nat(0xffff),
        (data, word, value) => {
          const before = viewOf(data).getUint16(word * 2);
          const old = checksumOf(sumOf(data));
          viewOf(data).setUint16(word * 2, value);
          // 0 and 0xffff are the same number in one's complement.
          expect(checksumUpdated(old, before, value) % 0xffff).toBe(checksumOf(sumOf(data)) % 0xffff);
        },
      ),
    );
  });
});

function ipv4Of(payload: Uint8Array, change: Partial<Ipv4Packet> = {}): Uint8Array {
  const options = change.options ?? new Uint8Array(0);
  const packet = new Uint8Array(20 + options.length + payload.length).fill(0xa5);
  const header = {
    typeOfService: 0,
    identification: 7,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 64,
    protocol: 17,
    source: hex('c0000201'),
    destination: hex('c6336402'),
    ...change,
    options,
  };
  packet.set(payload, emitIpv4Header(header, payload.length, packet));
  return packet;
}

describe('IPv4', () => {
  test('round trip on a junk-filled buffer', () => {
    fc.assert(
      fc.property(octets(100), four, four, fc.nat(255), (payload, source, destination, protocol) => {
        const packet = parseIpv4(ipv4Of(payload, { source, destination, protocol }));
        expect(packet.ok && packet.value).toMatchObject({
          payload,
          source,
          destination,
          protocol,
          headerLength: 20,
        });
      }),
    );
  });

  test('every prefix is refused', () => {
    const packet = ipv4Of(hex('0102030405'), { options: hex('01010100') });
    for (let length = 0; length < packet.length; length += 1) {
      expect(parseIpv4(packet.subarray(0, length)).ok).toBe(false);
    }
    expect(parseIpv4(packet).ok).toBe(true);
  });

  test('length lies, bad checksum, wrong version, a fragment beyond the end', () => {
    const lie = (at: number, value: number) => {
      const packet = ipv4Of(new Uint8Array(8));
      packet[at] = value;
      viewOf(packet).setUint16(10, 0);
      viewOf(packet).setUint16(10, checksumOf(sumOf(packet, 0, 20)));
      return parseIpv4(packet);
    };
    expect(lie(0, 0x44)).toMatchObject({ reason: 'bad-length' });
    expect(lie(0, 0x4f)).toMatchObject({ reason: 'bad-length' });
    expect(lie(0, 0x65)).toMatchObject({ reason: 'bad-version' });
    expect(lie(3, 29)).toMatchObject({ reason: 'truncated' });
    expect(lie(3, 19)).toMatchObject({ reason: 'bad-length' });
    expect(lie(7, 0xff).ok).toBe(true);
    const last = ipv4Of(new Uint8Array(16), { fragmentOffset: 0xfff8 });
    expect(parseIpv4(last)).toMatchObject({ reason: 'bad-value' });
    const flipped = ipv4Of(new Uint8Array(8));
    flipped[8] = 3;
    expect(parseIpv4(flipped)).toMatchObject({ reason: 'bad-checksum' });
  });

  test('source routes are seen, also behind options that lie', () => {
    expect(hasSourceRoute(hex('01010100'))).toBe(false);
    expect(hasSourceRoute(hex('0183070400000000'))).toBe(true);
    expect(hasSourceRoute(hex('89070400000000'))).toBe(true);
    expect(hasSourceRoute(hex('4400'))).toBe(true);
    expect(hasSourceRoute(hex('44ff0000'))).toBe(true);
    expect(hasSourceRoute(hex('00830704'))).toBe(false);
  });

  test('fragments put together are the packet, and none is longer than the MTU', () => {
    fc.assert(
      fc.property(octets(4000), fc.integer({ min: 68, max: 1500 }), (payload, mtu) => {
        const whole = parseIpv4(ipv4Of(payload, { typeOfService: 0x28 }));
        if (!whole.ok) throw new Error(whole.reason);
        const joined = new Uint8Array(payload.length);
        const fragments = fragmentIpv4(whole.value, mtu);
        for (const [index, octetsOf] of fragments.entries()) {
          expect(octetsOf.length).toBeLessThanOrEqual(mtu);
          const fragment = parseIpv4(octetsOf);
          if (!fragment.ok) throw new Error(fragment.reason);
          expect(fragment.value.moreFragments).toBe(index < fragments.length - 1);
          expect(fragment.value.typeOfService).toBe(0x28);
          joined.set(fragment.value.payload, fragment.value.fragmentOffset);
        }
        expect(joined).toEqual(payload);
      }),
    );
  });
});

describe('IPv6', () => {
  const source = address('2001:db8::1');
  const destination = address('2001:db8::2');
  const packetOf = (payload: Uint8Array, nextHeader: number) => {
    const packet = new Uint8Array(40 + payload.length).fill(0xa5);
    const at = emitIpv6Header({ nextHeader, hopLimit: 64, source, destination }, payload.length, packet);
    packet.set(payload, at);
    return packet;
  };

  test('round trip on a junk-filled buffer', () => {
    fc.assert(
      fc.property(octets(80), (payload) => {
        const read = parseIpv6(packetOf(payload, 17));
        expect(read.ok && read.value).toMatchObject({
          protocol: 17,
          protocolOffset: 40,
          payload,
          source,
          destination,
        });
      }),
    );
  });

  test('extension headers are walked to the upper layer', () => {
    const packet = packetOf(
      hex('3c00010400000000 2b00010400000000 2c00000000000000 1100000100000001 aabb'),
      0,
    );
    const read = parseIpv6(packet);
    expect(read.ok && read.value).toMatchObject({ protocol: 17, protocolOffset: 72, routed: true });
    expect(read.ok && read.value.fragment).toEqual({ offset: 0, more: true });
    for (let length = 0; length < 40 + 32; length += 1)
      expect(parseIpv6(packet.subarray(0, length)).ok).toBe(false);
  });

  test('a later fragment stops the walk', () => {
    const read = parseIpv6(packetOf(hex('3c00010800000001 00'), 44));
    expect(read.ok && read.value).toMatchObject({ protocol: 60, fragment: { offset: 0x108, more: false } });
  });

  const lies: readonly (readonly [string, number, string, string])[] = [
    ['a length beyond the packet', 60, '11ff000000000000', 'bad-length'],
    ['five extension headers', 60, '3c00000000000000'.repeat(4).concat('1100000000000000'), 'too-many'],
    ['hop-by-hop in second place', 60, '0000000000000000 1100000000000000', 'unexpected'],
    ['two fragment headers', 44, '2c00000000000000 1100000000000000', 'duplicate'],
    ['a cut extension header', 60, '1100', 'truncated'],
  ];
  test.each(lies)('%s', (_, next, payload, reason) => {
    expect(parseIpv6(packetOf(hex(payload), next))).toMatchObject({ ok: false, reason });
  });

  test('anything at all is read without throwing', () => {
    fc.assert(
      fc.property(octets(120), (data) => {
        if (data.length > 0) data[0] = (data[0] ?? 0) % 2 === 0 ? 0x60 : 0x45;
        parseIpv6(data);
        parseIpv4(data);
        parseUdp(data);
        parseTcp(data);
        clampMss(data, 1000);
        hasSourceRoute(data);
      }),
    );
  });
});

describe('UDP', () => {
  test('round trip with checksum, both families', () => {
    const addresses = fc.oneof(fc.tuple(four, four), fc.tuple(sixteen, sixteen));
    fc.assert(
      fc.property(octets(60), addresses, fc.nat(0xffff), fc.nat(0xffff), (payload, [from, to], s, d) => {
        const datagram = new Uint8Array(8 + payload.length).fill(0xa5);
        datagram.set(payload, emitUdpHeader({ sourcePort: s, destinationPort: d }, payload.length, datagram));
        fillUdpChecksum(datagram, 0, datagram.length, from, to);
        expect(udpChecksumHolds(datagram, from, to)).toBe(true);
        const read = parseUdp(datagram);
        expect(read.ok && read.value).toMatchObject({ sourcePort: s, destinationPort: d, payload });
        expect(read.ok && read.value.checksum).not.toBe(0);
      }),
    );
  });

  test.each([0, 7, 10, 0xffff])('a Length of %i over nine octets is refused', (length) => {
    const datagram = new Uint8Array(9);
    viewOf(datagram).setUint16(4, length);
    expect(parseUdp(datagram).ok).toBe(false);
  });
});

describe('TCP', () => {
  const syn = (options: Uint8Array, flags = 2) => {
    const segment = new Uint8Array(20 + options.length);
    segment[12] = ((20 + options.length) / 4) << 4;
    segment[13] = flags;
    segment.set(options, 20);
    viewOf(segment).setUint16(
      16,
      checksumOf(pseudoHeaderSum(hex('0a000001'), hex('0a000002'), 6, segment.length) + sumOf(segment)),
    );
    return segment;
  };
  const holds = (segment: Uint8Array) =>
    sumHolds(
      sumOf(segment, 0, segment.length, pseudoHeaderSum(hex('0a000001'), hex('0a000002'), 6, segment.length)),
    );

  test.each(['020405b4', '01020405b4010101'])(
    'the MSS in %s is lowered and the checksum stays right',
    (options) => {
      const segment = syn(hex(options));
      expect(clampMss(segment, 1360)).toBe(true);
      expect(toHex(segment)).toContain('0550');
      expect(holds(segment)).toBe(true);
      expect(clampMss(segment, 1360)).toBe(false);
    },
  );

  test('no SYN, a smaller MSS, and options that lie are left alone', () => {
    expect(clampMss(syn(hex('020405b4'), 0x10), 1360)).toBe(false);
    expect(clampMss(syn(hex('02040100')), 1360)).toBe(false);
    for (const lie of ['020305b4', '02ff05b4', '0800 0204', '00020405b4010101', '01010102']) {
      expect(clampMss(syn(hex(lie)), 1)).toBe(false);
    }
  });

  test('data offset lies', () => {
    const segment = syn(hex('020405b4'));
    segment[12] = 0x40;
    expect(parseTcp(segment)).toMatchObject({ reason: 'bad-length' });
    segment[12] = 0xf0;
    expect(parseTcp(segment)).toMatchObject({ reason: 'bad-length' });
  });
});

describe('ICMP', () => {
  test('RFC 1191 §4: fragmentation needed quotes the packet and its checksum holds', () => {
    const refused = ipv4Of(new Uint8Array(1400));
    const error = parseIpv4(emitFragmentationNeeded(refused, hex('0a000001'), hex('c0000201'), 1300));
    if (!error.ok) throw new Error(error.reason);
    expect(error.value.totalLength).toBe(576);
    expect(sumHolds(sumOf(error.value.payload))).toBe(true);
    expect(toHex(error.value.payload.subarray(0, 8)).replace(/^(....)..../, '$1')).toBe('030400000514');
    expect(error.value.payload.subarray(8)).toEqual(refused.subarray(0, 548));
  });

  test('RFC 4443 §3.2: packet too big', () => {
    const source = address('2001:db8::1');
    const error = emitPacketTooBig(new Uint8Array(1500), source, address('2001:db8::2'), 1300);
    expect(error.length).toBe(1280);
    const read = parseIpv6(error);
    if (!read.ok) throw new Error(read.reason);
    const sum = pseudoHeaderSum(read.value.source, read.value.destination, 58, read.value.payloadLength);
    expect(sumHolds(sumOf(read.value.payload, 0, read.value.payload.length, sum))).toBe(true);
    expect(viewOf(read.value.payload).getUint32(4)).toBe(1300);
  });

  test('an Echo is answered with its own octets', () => {
    const echo = hex('0800000012340001 68656c6c6f');
    const reply = emitEchoReply4(echo, hex('0a000001'), hex('0a000002'));
    const read = reply && parseIpv4(reply);
    if (!read?.ok) throw new Error('no reply');
    expect(toHex(read.value.payload.subarray(4))).toBe('1234000168656c6c6f');
    expect(sumHolds(sumOf(read.value.payload))).toBe(true);
    expect(emitEchoReply4(hex('0000000012340001'), hex('0a000001'), hex('0a000002'))).toBeUndefined();
    expect(emitEchoReply4(hex('08000000'), hex('0a000001'), hex('0a000002'))).toBeUndefined();
  });
});
