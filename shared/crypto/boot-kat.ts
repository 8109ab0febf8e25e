import { createPrivateKey } from 'node:crypto';
import { equal, hex } from '@culvert/wire';
import { aeadOpen, aeadSeal } from './aead.ts';
import { type CbcCipher, decryptCbc, encryptCbc } from './cbc.ts';
import { desEncrypt } from './des.ts';
import { DH_GROUPS, type DhGroup, DhKey, generateDhKey } from './diffie-hellman.ts';
import { type EcpGroup, ecpName } from './ecp.ts';
import { hkdf } from './hkdf.ts';
import { md4 } from './md4.ts';
import { md5 } from './md5.ts';
import { type ModpGroup, modpOctets, modpPrime } from './modp.ts';
import { digest, type HashName, prf } from './prf.ts';
import { type Algorithm, refuse } from './usable.ts';

/** One algorithm's test: true when it still gives the published answer. */
export type KnownAnswer = () => boolean | Promise<boolean>;

export interface KatReport {
  readonly passed: readonly Algorithm[];
  /** From now on every use of these throws `AlgorithmRefused`; the process goes on without them. */
  readonly refused: readonly Algorithm[];
}

/** Run once at start, before the first key is made. Takes some 20 ms, off the event loop where it can. */
export async function bootKat(
  answers: ReadonlyMap<Algorithm, KnownAnswer> = KNOWN_ANSWERS,
): Promise<KatReport> {
  const passed: Algorithm[] = [];
  const refused: Algorithm[] = [];
  for (const [algorithm, known] of answers) {
    if (await holds(known)) passed.push(algorithm);
    else refused.push(algorithm);
  }
  // Only now: one algorithm's test may use another.
  for (const algorithm of refused) refuse(algorithm);
  return { passed, refused };
}

async function holds(known: KnownAnswer): Promise<boolean> {
  try {
    return await known();
  } catch {
    return false;
  }
}

const ascii = (text: string) => new TextEncoder().encode(text);

/** FIPS 180-4, example "abc". */
const HASHES: Readonly<Record<HashName, string>> = {
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  'sha2-256': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  'sha2-384': `cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163
    1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7`,
  'sha2-512': `ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
    2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f`,
};

/** RFC 2202 §3 and RFC 4231 §4.3, test case 2. */
const HMACS: Readonly<Record<HashName, string>> = {
  sha1: 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
  'sha2-256': '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  'sha2-384': `af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47
    e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649`,
  'sha2-512': `164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
    9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737`,
};

interface CbcAnswer {
  readonly key: string;
  readonly iv: string;
  readonly plain: string;
  readonly cipher: string;
}

/** NIST SP 800-38A F.2.1, F.2.3, F.2.5; SP 800-67 appendix B with a zero IV. */
const CBC: Readonly<Record<CbcCipher, CbcAnswer>> = {
  'aes-cbc-128': {
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    iv: '000102030405060708090a0b0c0d0e0f',
    plain: '6bc1bee22e409f96e93d7e117393172a',
    cipher: '7649abac8119b246cee98e9b12e9197d',
  },
  'aes-cbc-192': {
    key: '8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b',
    iv: '000102030405060708090a0b0c0d0e0f',
    plain: '6bc1bee22e409f96e93d7e117393172a',
    cipher: '4f021db243bc633d7178183a9fa071e8',
  },
  'aes-cbc-256': {
    key: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
    iv: '000102030405060708090a0b0c0d0e0f',
    plain: '6bc1bee22e409f96e93d7e117393172a',
    cipher: 'f58c4c04d6e5f1ba779eabfb5f7bfbd6',
  },
  '3des-cbc': {
    key: '0123456789abcdef23456789abcdef01456789abcdef0123',
    iv: '0000000000000000',
    plain: '5468652071756663',
    cipher: 'a826fd8ce53b855f',
  },
};

function cbcHolds(cipher: CbcCipher): boolean {
  const { key, iv, plain, cipher: expected } = CBC[cipher];
  const sealed = encryptCbc(cipher, hex(key), hex(iv), hex(plain)).octets;
  const opened = decryptCbc(cipher, hex(key), hex(iv), sealed);
  return equal(sealed, hex(expected)) && opened !== undefined && equal(opened.octets, hex(plain));
}

/** Also that a flipped bit is refused: the half of an AEAD that matters. */
function gcmHolds(key: string, nonce: string, plain: string, sealed: string): boolean {
  const aad = new Uint8Array();
  const octets = aeadSeal(hex(key), hex(nonce), aad, hex(plain));
  const opened = aeadOpen(hex(key), hex(nonce), aad, octets);
  const forged = Uint8Array.from(octets);
  forged[0] = (forged[0] ?? 0) ^ 1;
  const refusedForgery = aeadOpen(hex(key), hex(nonce), aad, forged) === undefined;
  return refusedForgery && equal(octets, hex(sealed)) && opened !== undefined && equal(opened, hex(plain));
}

/** SHA-256 of the primes of RFC 2409 §6.2 and RFC 3526. */
const PRIMES: Readonly<Record<ModpGroup, string>> = {
  2: '3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0',
  5: '64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b',
  14: 'd66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e',
  15: '48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c',
  16: '4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33',
};

/**
 * The prime is the RFC's, and for the peer's value 4 = 2^2 the shared secret (2^2)^x is the square of our
 * public value 2^x, whatever x is.
 */
async function modpHolds(group: ModpGroup): Promise<boolean> {
  const prime = modpPrime(group);
  if (!equal(digest('sha2-256', prime), hex(PRIMES[group]))) return false;
  const four = new Uint8Array(modpOctets(group));
  four[four.length - 1] = 4;
  const key = await generateDhKey(group);
  const agreed = await key.agree(four);
  if (!agreed.ok) return false;
  return integer(agreed.sharedSecret.expose()) === integer(key.publicValue) ** 2n % integer(prime);
}

function integer(octets: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`);
}

interface EcpAnswer {
  readonly d: string;
  readonly own: string;
  readonly peer: string;
  readonly shared: string;
}

/** RFC 5903 §8: the initiator's private and public value, the responder's value, and girx. */
const ECP: Readonly<Record<EcpGroup, EcpAnswer>> = {
  19: {
    d: 'c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433',
    own: [
      'dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252',
      'd61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3',
    ].join(''),
    peer: [
      'd12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e',
      '8157854c13c58d6aac23f046ada30f8353e74f33039872ab',
    ].join(''),
    shared: 'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de',
  },
  20: {
    d: [
      '099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee',
      '3faef896783ab194',
    ].join(''),
    own: [
      '667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4',
      'c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38e',
      'eb9fcff3c2c947dae69b4c634573a81c',
    ].join(''),
    peer: [
      'e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def9',
      '6fda41d0774a3571dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1ff',
      'f83fa40142209dff5eaad96db9e6386c',
    ].join(''),
    shared: [
      '11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d0',
      '9cf5d4a270f59746',
    ].join(''),
  },
  21: {
    d: [
      '0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095aa85a30fe1c295',
      '2c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52',
    ].join(''),
    own: [
      '0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbee1e3bf42e00b8e38',
      '0aeae57c2d107564941885942af5a7f4601723c4195d176ced3e017cae20b6641d2eeb695786d8c9',
      '46146239d099e18e1d5a514c739d7cb4a10ad8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f15',
      '07438bf01beb6ca3926f9582',
    ].join(''),
    peer: [
      '00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a219b97c356436adc6e',
      '95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f015c68226383956e3bd066e797b6',
      '23c27ce0eac2f551a10c2c724d9852077b87220b6536c5c408a1d2aebb8e86d678ae49cb57091f47',
      '32296579ab44fcd17f0fc56a',
    ].join(''),
    shared: [
      '01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d1427e73ca4baa24',
      '0a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea',
    ].join(''),
  },
};

async function ecpHolds(group: EcpGroup): Promise<boolean> {
  const { d, own, peer, shared } = ECP[group];
  const half = own.length / 2;
  const text = (digits: string) => Buffer.from(digits, 'hex').toString('base64url');
  const jwk = {
    kty: 'EC',
    crv: ecpName(group),
    d: text(d),
    x: text(own.slice(0, half)),
    y: text(own.slice(half)),
  };
  const key = new DhKey(group, hex(own), createPrivateKey({ key: jwk, format: 'jwk' }));
  const agreed = await key.agree(hex(peer));
  return agreed.ok && agreed.sharedSecret.equals(hex(shared));
}

function groupHolds(group: DhGroup): Promise<boolean> {
  return group === 19 || group === 20 || group === 21 ? ecpHolds(group) : modpHolds(group);
}

const HASH_NAMES = ['sha1', 'sha2-256', 'sha2-384', 'sha2-512'] as const;
const CBC_NAMES = ['aes-cbc-128', 'aes-cbc-192', 'aes-cbc-256', '3des-cbc'] as const;

const KNOWN_ANSWERS: ReadonlyMap<Algorithm, KnownAnswer> = new Map<Algorithm, KnownAnswer>([
  ...HASH_NAMES.map((name): [Algorithm, KnownAnswer] => [
    name,
    () => equal(digest(name, ascii('abc')), hex(HASHES[name])),
  ]),
  ...HASH_NAMES.map((name): [Algorithm, KnownAnswer] => [
    `hmac-${name}`,
    () => equal(prf(name, ascii('Jefe'), ascii('what do ya want for nothing?')), hex(HMACS[name])),
  ]),
  ...CBC_NAMES.map((name): [Algorithm, KnownAnswer] => [name, () => cbcHolds(name)]),
  [
    'aes-gcm-128', // McGrew and Viega, GCM test case 2
    () =>
      gcmHolds(
        '00000000000000000000000000000000',
        '000000000000000000000000',
        '00000000000000000000000000000000',
        '0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf',
      ),
  ],
  [
    'aes-gcm-256', // the same, test case 14
    () =>
      gcmHolds(
        '0000000000000000000000000000000000000000000000000000000000000000',
        '000000000000000000000000',
        '00000000000000000000000000000000',
        'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
      ),
  ],
  [
    'hkdf-sha2-256', // RFC 5869 A.3: no salt, no info
    () =>
      equal(
        hkdf(hex('0b'.repeat(22)), '', 42),
        hex('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'),
      ),
  ],
  ['md4', () => equal(md4(ascii('abc')), hex('a448017aaf21d8525fc10ae87aa6729d'))], // RFC 1320 A.5
  ['md5', () => equal(md5(ascii('abc')), hex('900150983cd24fb0d6963f7d28e17f72'))], // RFC 1321 A.5
  ['des', () => equal(desEncrypt(hex('d02e4386bce91226'), hex('44ebba8d5312b8')), hex('82309ecd8d708b5e'))], // RFC 2759 §9.2
  ...DH_GROUPS.map((group): [Algorithm, KnownAnswer] => [`group-${group}`, () => groupHolds(group)]),
]);
