import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decapsulatedEcn,
  Ecn,
  emitIpv4Header,
  emitIpv6Header,
  parseIpv4,
  setEcn,
  sumHolds,
  sumOf,
  trafficClassOf,
} from './index.ts';

/** RFC 6040 §4.2, as it is printed but for the marks of unused combinations. */
const FIGURE_4 = `
  Not-ECT  Not-ECT  Not-ECT  Not-ECT  <drop>
  ECT(0)   ECT(0)   ECT(0)   ECT(1)   CE
  ECT(1)   ECT(1)   ECT(1)   ECT(1)   CE
  CE       CE       CE       CE       CE`;
const NAMES: Readonly<Record<string, number | undefined>> = {
  'Not-ECT': Ecn.notEct,
  'ECT(0)': Ecn.ect0,
  'ECT(1)': Ecn.ect1,
  CE: Ecn.ce,
  '<drop>': undefined,
};
const COLUMNS = ['Not-ECT', 'ECT(0)', 'ECT(1)', 'CE'];
const CELLS = FIGURE_4.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/))
  .flatMap(([inner = '', ...row]) =>
    COLUMNS.map((outer, column) => [inner, outer, row[column] ?? ''] as const),
  );

describe('RFC 6040 Figure 4', () => {
  test.each(CELLS)('inner %s, outer %s: %s', (inner, outer, outgoing) => {
    expect(decapsulatedEcn(NAMES[inner] ?? -1, NAMES[outer] ?? -1)).toBe(NAMES[outgoing]);
  });
  test('is whole', () => expect(CELLS).toHaveLength(16));
  test('RFC 3168 §5: the code points', () => {
    expect(Ecn).toEqual({ notEct: 0b00, ect1: 0b01, ect0: 0b10, ce: 0b11 });
  });
});

describe('the octet of DSCP and ECN', () => {
  const octet = fc.nat(255);
  const ecn = fc.nat(3);
  const address4 = fc.uint8Array({ minLength: 4, maxLength: 4 });

  test('IPv4: ECN changes, DSCP and the rest stay, the checksum stays right', () => {
    fc.assert(
      fc.property(octet, ecn, address4, fc.nat(0xffff), (typeOfService, value, source, identification) => {
        const packet = new Uint8Array(20).fill(0xa5);
        const header = {
          typeOfService,
          identification,
          dontFragment: false,
          moreFragments: false,
          fragmentOffset: 0,
          timeToLive: 1,
          protocol: 17,
          source,
          destination: source,
          options: new Uint8Array(0),
        };
        emitIpv4Header(header, 0, packet);
        expect(trafficClassOf(packet)).toBe(typeOfService);
        setEcn(packet, value);
        expect(trafficClassOf(packet)).toBe((typeOfService & 0xfc) | value);
        expect(sumHolds(sumOf(packet))).toBe(true);
        expect(parseIpv4(packet)).toMatchObject({ ok: true, value: { identification, timeToLive: 1 } });
      }),
    );
  });

  test('IPv6: version and flow label stay', () => {
    fc.assert(
      fc.property(octet, ecn, fc.nat(0xfffff), (trafficClass, value, label) => {
        const packet = new Uint8Array(40);
        const address = new Uint8Array(16);
        emitIpv6Header({ nextHeader: 59, hopLimit: 1, source: address, destination: address }, 0, packet);
        const view = new DataView(packet.buffer);
        view.setUint32(0, 0x6000_0000 + trafficClass * 2 ** 20 + label);
        expect(trafficClassOf(packet)).toBe(trafficClass);
        setEcn(packet, value);
        expect(view.getUint32(0)).toBe(0x6000_0000 + ((trafficClass & 0xfc) | value) * 2 ** 20 + label);
      }),
    );
  });
});
