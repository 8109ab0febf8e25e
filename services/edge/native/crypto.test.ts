import { createCipheriv, createHmac } from 'node:crypto';
import { concat, toHex } from '@culvert/wire';
import { emitEspTrailer, espPlainLength } from '@culvert/wire/esp';
import { describe, expect, test } from 'vitest';
import { createIvSource, newWindow, openEsp, prepareEsp, sealEsp } from '../esp/index.ts';
import { type CryptoJob, type CryptoSuite, nativeCrypto } from './crypto-face.ts';

const addon = nativeCrypto();
const backends = addon.cryptoBackends();
const usable = backends.filter((backend) => backend.usable).map((backend) => backend.name);
const ivs = createIvSource({ nodeId: 7, generation: 0x010203, cbcKey: new Uint8Array(32).fill(9) });
const octets = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed) & 0xff);

const MACS = [
  ['hmac-sha1-96', 'sha1', 20, 12],
  ['hmac-sha2-256-128', 'sha256', 32, 16],
  ['hmac-sha2-384-192', 'sha384', 48, 24],
  ['hmac-sha2-512-256', 'sha512', 64, 32],
] as const;
const CBCS = [
  ['aes-cbc-128', 'aes-128-cbc', 16, 16],
  ['aes-cbc-192', 'aes-192-cbc', 24, 16],
  ['aes-cbc-256', 'aes-256-cbc', 32, 16],
  ['3des-cbc', 'des-ede3-cbc', 24, 8],
] as const;
const GCMS = [
  ['aes-gcm-16-128', 'aes-128-gcm', 16],
  ['aes-gcm-16-256', 'aes-256-gcm', 32],
] as const;

interface Row extends CryptoSuite {
  readonly cipher: string;
  readonly hash?: string;
  readonly keyOctets: number;
  readonly integrityOctets: number;
  readonly ivOctets: 8 | 16;
  readonly blockOctets: number;
  readonly icvOctets: number;
}

const ROWS: readonly Row[] = [
  ...CBCS.flatMap(([encryption, cipher, keyOctets, blockOctets]) =>
    MACS.map(([integrity, hash, integrityOctets, icvOctets]) => ({
      ...{ encryption, integrity, cipher, hash, keyOctets, integrityOctets, blockOctets, icvOctets },
      ivOctets: blockOctets,
    })),
  ),
  ...GCMS.map(([encryption, cipher, keyOctets]) => ({
    ...{ encryption, cipher, keyOctets, integrity: 'none' as const, integrityOctets: 0 },
    ...{ ivOctets: 8 as const, blockOctets: 4, icvOctets: 16 },
  })),
];

/** One packet: how it must look sealed and opened, and the job that does either. */
interface Sample {
  readonly sealed: Uint8Array;
  readonly opened: Uint8Array;
  readonly job: Omit<CryptoJob, 'packet'>;
}

function keysOf(row: Row, seed: number) {
  return {
    encryption: octets(row.keyOctets, seed),
    integrity: octets(row.integrityOctets, seed + 1),
    salt: row.hash === undefined ? octets(4, seed + 2) : new Uint8Array(0),
  };
}

function sample(row: Row, payload: Uint8Array, sequence: number, seed = 1): Sample {
  const keys = keysOf(row, seed);
  const transform = prepareEsp(row.encryption, row.integrity, keys);
  const sealed = sealEsp(transform, { spi: 0x1234_5678, sequence, nextHeader: 17, payload }, ivs);
  return { sealed, opened: openedOf(row, sealed, payload), job: jobOf(row, keys) };
}

/** What stands in the packet before it is sealed and after it was opened. */
function openedOf(row: Row, sealed: Uint8Array, payload: Uint8Array): Uint8Array {
  const plain = new Uint8Array(espPlainLength(payload.length, row.blockOctets));
  plain.set(payload);
  emitEspTrailer(plain, payload.length, plain.length, 17);
  const opened = sealed.slice();
  opened.set(plain, 8 + row.ivOctets);
  return opened;
}

function jobOf(row: Row, keys: ReturnType<typeof keysOf>): Omit<CryptoJob, 'packet'> {
  return {
    encryption: row.encryption,
    integrity: row.integrity,
    encryptionKey: keys.encryption,
    integrityKey: keys.integrity,
    salt: keys.salt,
    icvOctets: row.icvOctets,
    esn: false,
    sequenceHigh: 0,
  };
}

/** RFC 4303 §2.2.1 and RFC 4106 §5, straight from node:crypto: the TypeScript engine has its own tests. */
function withEsn(row: Row, from: Sample, sequenceHigh: number, icvOctets = row.icvOctets): Sample {
  const high = new Uint8Array(4);
  new DataView(high.buffer).setUint32(0, sequenceHigh);
  const bodyAt = 8 + row.ivOctets;
  const bodyEnd = from.sealed.length - row.icvOctets;
  const [head, iv] = [from.sealed.subarray(0, 8), from.sealed.subarray(8, bodyAt)];
  const { encryptionKey, integrityKey, salt } = from.job;
  let icv: Uint8Array;
  if (row.hash === undefined) {
    const name = row.cipher as 'aes-128-gcm';
    const cipher = createCipheriv(name, encryptionKey, concat(salt, iv));
    cipher.setAAD(concat(head.subarray(0, 4), high, head.subarray(4)));
    cipher.update(from.opened.subarray(bodyAt, bodyEnd));
    cipher.final();
    icv = cipher.getAuthTag();
  } else {
    icv = createHmac(row.hash, integrityKey).update(from.sealed.subarray(0, bodyEnd)).update(high).digest();
  }
  const cut = icv.subarray(0, icvOctets);
  return {
    sealed: concat(from.sealed.subarray(0, bodyEnd), cut),
    opened: concat(from.opened.subarray(0, bodyEnd), cut),
    job: { ...from.job, icvOctets, esn: true, sequenceHigh },
  };
}

/** In company: what is wrong with a packet must not touch the one beside it. */
function expectBothWays(backend: (typeof usable)[number], samples: readonly Sample[]): void {
  const jobs = samples.map(({ job, opened }) => {
    const packet = opened.slice();
    packet.fill(0xa5, packet.length - job.icvOctets);
    return { ...job, packet };
  });
  expect(addon.cryptoSeal(backend, jobs)).toEqual(samples.map(() => true));
  const sealed = (of: readonly Sample[]) => of.map((one) => toHex(one.sealed));
  expect(jobs.map(({ packet }) => toHex(packet))).toEqual(sealed(samples));
  expect(addon.cryptoOpen(backend, jobs)).toEqual(samples.map(() => true));
  expect(jobs.map(({ packet }) => toHex(packet))).toEqual(samples.map((one) => toHex(one.opened)));
}

const rowAt = (index: number): Row => ROWS[index % ROWS.length] as Row;
const titled = ROWS.map((row) => [`${row.encryption} ${row.integrity}`, row] as const);

test('OpenSSL is always there; what is not there says why', () => {
  expect(usable).toContain('openssl');
  for (const { usable: good, why, version } of backends) {
    expect(good ? version : why).not.toBe('');
    if (good) expect(addon.cryptoSelfTest(version.startsWith('openssl') ? 'openssl' : 'ipsec-mb')).toBe('');
  }
});

describe.each(usable)('%s', (backend) => {
  describe.each(titled)('%s', (_title, row) => {
    test('every length gives the octets of the TypeScript engine, both ways', () => {
      const samples: Sample[] = [];
      for (let length = 0; length <= 1500; length += length < 80 ? 1 : 17) {
        samples.push(sample(row, octets(length, length), length + 1));
      }
      expectBothWays(backend, samples);
    });

    test('extended sequence numbers are covered by the ICV', () => {
      const samples = [0, 1, 37, 250, 1400].map((length) => sample(row, octets(length, 3), 9));
      const extended = samples.map((one, index) => withEsn(row, one, 0xfffe_fdf0 + index));
      expectBothWays(backend, extended);
      for (const one of extended) expectBothWays(backend, [one]);
      const other = extended.map(({ job, sealed }) => ({
        ...job,
        sequenceHigh: job.sequenceHigh + 1,
        packet: sealed.slice(),
      }));
      expect(addon.cryptoOpen(backend, other)).toEqual(other.map(() => false));
      const icvs = (packets: readonly Uint8Array[]) =>
        packets.map((packet) => toHex(packet.subarray(-row.icvOctets)));
      expect(icvs(other.map(({ packet }) => packet))).toEqual(icvs(extended.map(({ sealed }) => sealed)));
    });

    test('every flipped bit is refused, and the packets beside it are not', () => {
      const one = sample(row, octets(21, 4), 77);
      const jobs: CryptoJob[] = [];
      for (let bit = 0; bit < one.sealed.length * 8; bit += 1) {
        const packet = one.sealed.slice();
        packet[bit >>> 3] = (packet[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
        jobs.push({ ...one.job, packet }, { ...one.job, packet: one.sealed.slice() });
      }
      expect(addon.cryptoOpen(backend, jobs)).toEqual(jobs.map((_job, index) => index % 2 === 1));
      for (const job of jobs.filter((_job, index) => index % 2 === 1)) {
        expect(toHex(job.packet)).toBe(toHex(one.opened));
      }
    });
  });

  test('1 to 64 packets of mixed suites, keys and lengths in one call', () => {
    for (let count = 1; count <= 64; count += 1) {
      const samples = Array.from({ length: count }, (_, index) => {
        const row = rowAt(index * 5 + count);
        const plain = sample(row, octets((index * 211 + count) % 1450, index), index + 1, index);
        return index % 3 === 0 ? withEsn(row, plain, index) : plain;
      });
      expectBothWays(backend, samples);
    }
  });

  test('of one suite, every number of packets to beyond what is worked on side by side', () => {
    for (const row of [ROWS[8], ROWS[9]] as Row[]) {
      for (let count = 1; count <= 40; count += 1) {
        const samples = Array.from({ length: count }, (_, index) =>
          sample(row, octets(index * 31, 1), index),
        );
        expectBothWays(backend, samples);
      }
    }
    const many = Array.from({ length: 700 }, (_, index) => sample(rowAt(8), octets(index, 1), index));
    expectBothWays(backend, many);
  });

  test('a SHA-256 cut to 12 octets', () => {
    for (const row of ROWS.filter(({ hash }) => hash === 'sha256')) {
      const whole = [1, 100, 1400].map((length) => sample(row, octets(length, 3), 9));
      const cut = whole.map(({ sealed, opened, job }) => ({
        sealed: sealed.subarray(0, -4),
        opened: opened.subarray(0, -4),
        job: { ...job, icvOctets: 12 },
      }));
      expectBothWays(backend, cut);
      expectBothWays(
        backend,
        whole.map((one) => withEsn(row, one, 5, 12)),
      );
    }
  });

  test('what is sealed here opens in the TypeScript engine', () => {
    const row = rowAt(0);
    const one = sample(row, octets(60, 2), 3);
    const packet = one.opened.slice();
    addon.cryptoSeal(backend, [{ ...one.job, packet }]);
    const opened = openEsp(prepareEsp(row.encryption, row.integrity, keysOf(row, 1)), newWindow(), packet);
    expect(opened.ok && toHex(opened.payload)).toBe(toHex(octets(60, 2)));
  });

  test('lengths, keys and suites that do not fit are refused', () => {
    const { job, sealed } = sample(rowAt(0), octets(10, 1), 1);
    const run = (change: Partial<CryptoJob>) => () =>
      addon.cryptoOpen(backend, [{ ...job, packet: sealed.slice(), ...change }]);
    expect(run({})()).toEqual([true]);
    expect(run({ packet: sealed.slice(1) })).toThrow('packet');
    expect(run({ packet: sealed.slice(0, 36) })).toThrow('packet');
    expect(run({ encryptionKey: octets(15, 1) })).toThrow('encryptionKey');
    expect(run({ integrityKey: octets(19, 1) })).toThrow('integrityKey');
    expect(run({ integrity: 'none' })).toThrow('do not go together');
    expect(run({ icvOctets: 16 })).toThrow('icvOctets');
  });

  test('its rates can be measured', () => {
    for (const suite of [rowAt(8), rowAt(17)]) {
      const rates = addon.cryptoRates(backend, suite, 1400, 4, 2);
      expect(Math.min(rates.sealPerSecond, rates.openPerSecond, rates.initNanoseconds)).toBeGreaterThan(0);
    }
  });
});

test('unpredictable IVs are those of the TypeScript engine', () => {
  const requests = Array.from({ length: 150 }, (_, index) => ({
    spi: 0xffff_ff00 + index,
    sequence: 0xffff_ffff - index * 1000,
    octets: index % 2 === 0 ? (16 as const) : (8 as const),
  }));
  const given = addon.cryptoIvs(0x0701_0203, new Uint8Array(32).fill(9), requests);
  expect(given.map(toHex)).toEqual(
    requests.map(({ spi, sequence, octets: length }) => toHex(ivs.unpredictable(spi, sequence, length))),
  );
});
