import { createDecipheriv } from 'node:crypto';
import type { EspEncryption, EspIntegrity } from '@culvert/contracts';
import { concat, hex, toHex } from '@culvert/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  accepted,
  createIvSource,
  freshness,
  newWindow,
  openEsp,
  payloadRoom,
  prepareEsp,
  sealEsp,
  sealedLength,
} from './index.ts';
import { icvOf } from './transform.ts';

const ivs = createIvSource({ nodeId: 7, generation: 0x010203, cbcKey: new Uint8Array(32).fill(9) });
const octets = (length: number, seed = 1) =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed) & 0xff);
const none = new Uint8Array(0);

const SUITES: readonly (readonly [EspEncryption, number, EspIntegrity, number])[] = [
  ['aes-cbc-128', 16, 'hmac-sha1-96', 20],
  ['aes-cbc-192', 24, 'hmac-sha2-256-128', 32],
  ['aes-cbc-256', 32, 'hmac-sha2-384-192', 48],
  ['aes-cbc-256', 32, 'hmac-sha2-512-256', 64],
  ['3des-cbc', 24, 'hmac-sha1-96', 20],
  ['aes-gcm-16-128', 16, 'none', 0],
  ['aes-gcm-16-256', 32, 'none', 0],
];
const suite = ([encryption, keyOctets, integrity, integrityOctets]: (typeof SUITES)[number]) =>
  prepareEsp(encryption, integrity, {
    encryption: octets(keyOctets),
    integrity: octets(integrityOctets, 3),
    salt: encryption.startsWith('aes-gcm') ? octets(4, 5) : none,
  });

describe.each(SUITES)('%s/%i with %s', (...row) => {
  const transform = suite(row);
  const sealed = (sequence: number, payload: Uint8Array, nextHeader = 17) =>
    sealEsp(transform, { spi: 0x1234_5678, sequence, nextHeader, payload }, ivs);

  test('what is sealed opens, and has the stated length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.integer({ min: 1, max: 0xffffffff }),
        (payload, sequence) => {
          const packet = sealed(sequence, payload);
          expect(packet.length).toBe(sealedLength(transform, payload.length));
          const opened = openEsp(transform, newWindow(), packet);
          expect(opened).toMatchObject({ ok: true, nextHeader: 17, sequence, newest: true });
          expect(opened.ok && toHex(opened.payload)).toBe(toHex(payload));
        },
      ),
    );
  });

  test('the room for a payload is exact', () => {
    for (let path = 100; path < 140; path += 1) {
      const room = payloadRoom(transform, path);
      expect(sealedLength(transform, room)).toBeLessThanOrEqual(path);
      expect(sealedLength(transform, room + 1)).toBeGreaterThan(path);
    }
  });

  test('every length from 0 to 64 is a counted drop', () => {
    for (let length = 0; length <= 64; length += 1) {
      for (const fill of [0, 0x5a, 0xff]) {
        const opened = openEsp(transform, newWindow(), new Uint8Array(length).fill(fill));
        expect(opened.ok).toBe(false);
      }
    }
  });

  test('every cut and every flipped bit of a sealed packet is a drop, and the window stays', () => {
    const packet = sealed(1, octets(20));
    const window = newWindow();
    for (let length = 0; length < packet.length; length += 1) {
      expect(openEsp(transform, window, packet.subarray(0, length)).ok).toBe(false);
    }
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      const flipped = packet.slice();
      flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      const opened = openEsp(transform, window, flipped);
      expect(opened).toMatchObject({ ok: false });
      expect(opened.window).toBe(window);
    }
  });

  test('a packet is accepted once', () => {
    const packet = sealed(5, octets(3));
    const first = openEsp(transform, newWindow(), packet);
    expect(first.ok).toBe(true);
    expect(openEsp(transform, first.window, packet)).toMatchObject({ ok: false, fault: 'esp-replayed' });
    expect(openEsp(transform, newWindow(), sealed(0, none))).toMatchObject({ fault: 'esp-replayed' });
  });
});

describe('RFC 3602 §4', () => {
  // The packets carry no ICV.
  const cases = [
    {
      name: 'case 5',
      key: '90d382b4 10eeba7a d938c46c ec1a82bf',
      packet: `00004321 00000001 e96e8c08 ab465763 fd098d45 dd3ff893
        f663c25d 325c18c6 a9453e19 4e120849 a4870b66 cc6b9965 330013b4 898dc856
        a4699e52 3a55db08 0b59ec3a 8e4b7e52 775b07d1 db34ed9c 538ab50c 551b874a
        a269add0 47ad2d59 13ac19b7 cfbad4a6`,
      payload: `08000ebd a70a0000 8e9c083d b95b0700 08090a0b 0c0d0e0f 10111213 14151617
        18191a1b 1c1d1e1f 20212223 24252627 28292a2b 2c2d2e2f 30313233 34353637`,
      nextHeader: 1,
    },
    {
      name: 'case 6',
      key: '90d382b4 10eeba7a d938c46c ec1a82bf',
      packet: `00004321 00000008 69d08df7 d203329d b093fc49 24e5bd80
        f5199588 1ec4e0c4 488987ce 742e8109 689bb379 d2d750c0 d915dca3 46a89f75`,
      payload: '0800b5e8 a80a0500 a69c083d 0b660e00 77777777 77777777 77777777',
      nextHeader: 1,
    },
    {
      name: 'case 8',
      key: '01234567 89abcdef 01234567 89abcdef',
      packet: `00008765 00000005 85d47224 b5f3dd5d 2101d4ea 8dffab22
        15b92683 819596a8 047232cc 00f7048f e45318e1 1f8a0f62 ede3c3fc 61203bb5
        0f980a08 c9843fd3 a1b06d5c 07ff9639 b7eb7dfb 3512e5de 435e7207 ed971ef3
        d2726d9b 5ef6affc 6d17a0de cbb13892`,
      payload: `45000044 090c0000 4001f990 c0a87b03 c0a87bc8 0800d63c aa0a0200 c69c083d
        a3de0300 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff`,
      nextHeader: 4,
    },
  ];
  test.each(cases)('$name, both directions', ({ key, packet, payload, nextHeader }) => {
    const keys = { encryption: hex(key), integrity: none, salt: none };
    const transform = prepareEsp('aes-cbc-128', 'none', keys);
    const opened = openEsp(transform, newWindow(), hex(packet));
    expect(opened.ok && toHex(opened.payload)).toBe(toHex(hex(payload)));
    expect(opened).toMatchObject({ nextHeader });
    const iv = hex(packet).subarray(8, 24);
    const header = new DataView(hex(packet).buffer);
    const input = {
      spi: header.getUint32(0),
      sequence: header.getUint32(4),
      nextHeader,
      payload: hex(payload),
    };
    const sealed = sealEsp(transform, input, { ...ivs, unpredictable: () => iv });
    expect(toHex(sealed)).toBe(toHex(hex(packet)));
  });
});

describe('integrity vectors', () => {
  const icv = (integrity: EspIntegrity, key: string, data: string) => {
    const transform = prepareEsp('aes-cbc-128', integrity, {
      encryption: octets(16),
      integrity: hex(key),
      salt: none,
    });
    if (transform.mode !== 'cbc') throw new Error('not CBC');
    return toHex(icvOf(transform, hex(data)));
  };
  const hiThere = '4869205468657265';
  const repeated = 'cd'.repeat(50);
  test('RFC 2202 §3 cases 1 and 3, truncated as RFC 2404 §5 says', () => {
    expect(icv('hmac-sha1-96', '0b'.repeat(20), hiThere)).toBe('b617318655057264e28bc0b6');
    expect(icv('hmac-sha1-96', 'aa'.repeat(20), 'dd'.repeat(50))).toBe('125d7342b9ac11cd91a39af4');
  });
  test('RFC 4868 §2.7.2: AUTH256-1, AUTH256-4, AUTH384-1, AUTH512-1, AUTH512-4', () => {
    expect(icv('hmac-sha2-256-128', '0b'.repeat(32), hiThere)).toBe('198a607eb44bfbc69903a0f1cf2bbdc5');
    const counting = '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20';
    expect(icv('hmac-sha2-256-128', counting, repeated)).toBe('372efcf9b40b35c2115b1346903d2ef4');
    expect(icv('hmac-sha2-384-192', '0b'.repeat(48), hiThere)).toBe(
      'b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973',
    );
    expect(icv('hmac-sha2-512-256', '0b'.repeat(64), hiThere)).toBe(
      '637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8',
    );
    // The first line of the printed key is one too many for its stated 64 octets.
    const long = `${counting}2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40`;
    expect(icv('hmac-sha2-512-256', long, repeated)).toBe(
      '5e6688e5a3daec826ca32eaea224eff5e700628947470e13ad01302561bab108',
    );
  });
});

describe('RFC 4106', () => {
  test('§3, §4, §5: IV, salt and AAD stand where the RFC puts them', () => {
    const keys = { encryption: octets(32), integrity: none, salt: hex('cafebabe') };
    const transform = prepareEsp('aes-gcm-16-256', 'none', keys);
    const packet = sealEsp(
      transform,
      { spi: 0x01020304, sequence: 0xfffffffe, nextHeader: 17, payload: hex('aabbcc') },
      ivs,
    );
    // Node id 7, generation 0x010203, then the sequence number.
    expect(toHex(packet.subarray(0, 16))).toBe('01020304fffffffe07010203fffffffe');
    const nonce = concat(hex('cafebabe'), packet.subarray(8, 16));
    const decipher = createDecipheriv('aes-256-gcm', octets(32), nonce).setAAD(packet.subarray(0, 8));
    decipher.setAuthTag(packet.subarray(packet.length - 16));
    const plain = Buffer.concat([decipher.update(packet.subarray(16, packet.length - 16)), decipher.final()]);
    expect(plain.toString('hex')).toBe('aabbcc0102030311');
  });

  test('a CBC IV depends on the sequence number and tells nothing of it', () => {
    const seen = new Set<string>();
    for (let sequence = 0; sequence < 100; sequence += 1)
      seen.add(toHex(ivs.unpredictable(1000, sequence, 16)));
    seen.add(toHex(ivs.unpredictable(1001, 0, 16)));
    expect(seen.size).toBe(101);
    const other = createIvSource({ nodeId: 7, generation: 0x010203, cbcKey: new Uint8Array(32).fill(8) });
    expect(seen.has(toHex(other.unpredictable(1000, 0, 16)))).toBe(false);
  });

  test('keys that do not fit are our fault', () => {
    const keys = { encryption: octets(16), integrity: none, salt: none };
    expect(() => prepareEsp('aes-gcm-16-128', 'none', keys)).toThrow(/salt/);
    expect(() => prepareEsp('aes-gcm-16-128', 'hmac-sha1-96', keys)).toThrow(/own integrity/);
    expect(() => prepareEsp('aes-cbc-256', 'hmac-sha1-96', keys)).toThrow(/wrong length/);
    expect(() => prepareEsp('aes-cbc-128', 'hmac-sha1-96', keys)).toThrow(/wrong length/);
    expect(() => createIvSource({ nodeId: 0, generation: 1, cbcKey: new Uint8Array(32) })).toThrow(/node id/);
    expect(() => createIvSource({ nodeId: 1, generation: 2 ** 24, cbcKey: new Uint8Array(32) })).toThrow(
      /generation/,
    );
  });
});

describe('the anti-replay window', () => {
  test('agrees with a set of numbers and a top, for every size', () => {
    const steps = fc.array(fc.oneof(fc.nat(300), fc.nat(5000), fc.constant(0xffffffff)), { maxLength: 120 });
    fc.assert(
      fc.property(fc.constantFrom(64, 96, 1024, 4096), steps, (size, sequence) => {
        let window = newWindow(size);
        const seen = new Set<number>();
        let top = 0;
        for (const number of sequence) {
          const expected =
            number === 0
              ? 'replayed'
              : number > top
                ? 'newest'
                : top - number >= size
                  ? 'too-old'
                  : seen.has(number)
                    ? 'replayed'
                    : 'fresh';
          expect(freshness(window, number)).toBe(expected);
          if (expected !== 'newest' && expected !== 'fresh') continue;
          window = accepted(window, number);
          seen.add(number);
          top = Math.max(top, number);
        }
      }),
    );
  });

  test('a reducer: the value before is not touched', () => {
    const before = newWindow();
    accepted(before, 40);
    expect(freshness(before, 40)).toBe('newest');
    expect(() => newWindow(32)).toThrow();
  });
});
