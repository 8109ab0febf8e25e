import { viewOf } from '@culvert/wire';
import { mappedIpv4, type Prefix, prefixOf } from '@culvert/wire/ip';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addRoutes, newRoutes, removeRoutes, routeOf } from './routes.ts';
import { type LinkRow, newTables, type Tables } from './rows.ts';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  OTHER,
  PREFIX6,
  packet4,
  packet6,
  SERVER4,
  SERVER6,
  SESSION,
  saEntry,
  testBench,
  testClient,
} from './session-fixture.ts';

const at = 2000;

describe('longest prefix match', () => {
  /** As the table says it: of all prefixes that contain the address the longest. */
  function scanned(held: ReadonlyMap<LinkRow, readonly Prefix[]>, address: Uint8Array, ipv4: boolean) {
    let best: { readonly bits: number; readonly link: LinkRow } | undefined;
    for (const [link, prefixes] of held) {
      for (const prefix of prefixes) {
        const mapped = prefix.bits >= 96 && prefix.address[11] === 0xff && prefix.address[10] === 0xff;
        if (mapped !== ipv4) continue;
        const masked = prefixOf(address, prefix.bits).address;
        const inside = masked.every((octet, index) => octet === prefix.address[index]);
        if (inside && prefix.bits > (best?.bits ?? -1)) best = { bits: prefix.bits, link };
      }
    }
    return best?.link;
  }

  // Few different octets, so that prefixes nest and addresses meet them.
  const octet = fc.constantFrom(0, 1, 0x80, 0xff);
  const four = fc.array(octet, { minLength: 4, maxLength: 4 }).map((octets) => Uint8Array.from(octets));
  const six = fc
    .array(octet, { minLength: 4, maxLength: 4 })
    .map((octets) => Uint8Array.of(0x20, 1, ...octets, ...new Array<number>(8).fill(0), 0, 1));
  const prefix = fc.oneof(
    fc.tuple(four, fc.nat(32)).map(([address, bits]) => prefixOf(mappedIpv4(address), 96 + bits)),
    fc.tuple(six, fc.nat(128)).map(([address, bits]) => prefixOf(address, bits)),
  );
  const links = fc.array(fc.array(prefix, { maxLength: 5 }), { maxLength: 8 });

  const packetFor = (address: Uint8Array) => {
    const packet = address.length === 4 ? packet4(SERVER4, CLIENT4) : packet6(SERVER6, SERVER6);
    packet.set(address, address.length === 4 ? 16 : 24);
    return packet;
  };
  const lookUp = (tables: Tables, address: Uint8Array) => routeOf(tables, packetFor(address));

  test('agrees with a scan over everything, as links come and go', () => {
    fc.assert(
      fc.property(
        links,
        fc.array(fc.oneof(four, six), { minLength: 8, maxLength: 8 }),
        (wanted, addresses) => {
          const tables = newTables();
          const held = new Map<LinkRow, readonly Prefix[]>();
          const agree = () => {
            for (const address of addresses) {
              const ipv4 = address.length === 4;
              const whole = ipv4 ? mappedIpv4(address) : address;
              expect(lookUp(tables, address)).toBe(scanned(held, whole, ipv4));
            }
          };
          for (const routes of wanted) {
            const link = { routes } as unknown as LinkRow;
            const taken = [...held.values()].flat().map(keyOf);
            const free = routes.every((one) => !taken.includes(keyOf(one)));
            expect(addRoutes(tables, link)).toBe(free);
            if (free) held.set(link, routes);
            agree();
          }
          for (const link of [...held.keys()]) {
            removeRoutes(tables, link);
            held.delete(link);
            agree();
          }
          expect(tables.routes).toEqual(newRoutes());
        },
      ),
      { numRuns: 300 },
    );
  });

  const keyOf = ({ address, bits }: Prefix) => `${address}/${bits}`;
});

describe('networks behind a client', () => {
  const behind = linkEntry({ routes: ['10.1.0.0/16', '2001:db8:abcd::/48'] });

  test('may send, and are sent to; others may not', () => {
    const { engine, got, drops } = testBench([saEntry(), callEntry(), behind]);
    const client = testClient();
    const sources = ['10.1.0.0', '10.1.255.255', CLIENT4, '10.2.0.0', '10.0.255.255'];
    for (const source of sources) engine.outer(client.from(client.user(packet4(source, SERVER4))), at);
    const sources6 = ['2001:db8:abcd:ffff::1', `${PREFIX6}1`, '2001:db8:abce::1'];
    for (const source of sources6) engine.outer(client.from(client.user(packet6(source, SERVER6))), at);
    expect(got.inner).toHaveLength(5);
    expect(drops()).toEqual({ 'inner-source': 3 });
    for (const [index, source] of sources.entries()) {
      expect(engine.inner(packet4(SERVER4, source), at)).toBe(index < 3);
    }
    expect(engine.inner(packet6(SERVER6, '2001:db8:abcd::9'), at)).toBe(true);
    expect(engine.inner(packet6(SERVER6, '2001:db8:abce::9'), at)).toBe(false);
  });

  test('an IPv4 route does not make a source of an IPv6 packet, nor the other way round', () => {
    const all = linkEntry({ routes: ['::/0'] });
    const { engine, drops } = testBench([saEntry(), callEntry(), all]);
    const client = testClient();
    engine.outer(client.from(client.user(packet4('10.2.0.1', SERVER4))), at);
    expect(drops()).toEqual({ 'inner-source': 1 });
    expect(engine.inner(packet4(SERVER4, '10.2.0.1'), at)).toBe(false);
  });

  test('a network within another client’s is that client’s; the same network is refused', () => {
    const far = (change: object) =>
      linkEntry({ session: OTHER, ipv4: { address: '10.99.0.8' }, ...change }) as typeof behind;
    const { ipv6: _, ...inner } = far({ routes: ['10.1.2.0/24'] });
    const others = [saEntry({ session: OTHER, inboundSpi: 0x0140_0201 }), callEntry({ session: OTHER })];
    const { engine, got, declare, grantAll } = testBench([saEntry(), callEntry(), behind]);
    declare([...others, inner]);
    grantAll();
    const spi = (destination: string) => {
      engine.inner(packet4(SERVER4, destination), at);
      return viewOf(got.outer.at(-1)?.octets ?? new Uint8Array(4)).getUint32(0);
    };
    expect([spi('10.1.1.1'), spi('10.1.2.1'), spi('10.1.3.1')]).toEqual([
      0x9000_0000, 0x9000_0001, 0x9000_0000,
    ]);
    expect(engine.report(OTHER, at)?.packetsOut).toBe(1);
    const { ipv6: __, ...same } = far({ routes: ['10.1.0.0/16'] });
    declare([same]);
    expect(got.events).toMatchObject([{ type: 'entry-refused', session: OTHER }]);
    // What it had before, it has still.
    spi('10.1.2.1');
    expect(engine.report(OTHER, at)?.packetsOut).toBe(2);
    engine.declare({ session: SESSION, bucket: 'ppp', entries: [] }, at);
    declare([same]);
    expect(engine.inner(packet4(SERVER4, '10.1.9.9'), at)).toBe(true);
    expect(engine.report(OTHER, at)?.packetsOut).toBe(3);
  });
});
