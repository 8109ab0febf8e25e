import {
  type Attribute,
  AUTHENTICATION,
  ENCAPSULATION,
  ENCRYPTION,
  ESP_AUTHENTICATION,
  ESP_TRANSFORM,
  HASH,
  LIFE_TYPE,
  numberAttribute,
  PHASE_1_ATTRIBUTE,
  PHASE_2_ATTRIBUTE,
  PROTOCOL,
  type Proposal,
  type SaPayload,
  type Transform,
} from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { phase1Offer as profileOffer } from '../../../../test/peer/isakmp-offer.ts';
import { android4, android7, macos, networkManager, windows10 } from '../../../../test/peer/profile.ts';
import type { IkePolicy } from '../policy.ts';
import { clientClass, UNKNOWN_CLIENT } from './client-class.ts';
import { selectPhase1 } from './phase-1.ts';
import { type Phase2Setting, selectPhase2 } from './phase-2.ts';

const POLICY: IkePolicy = {
  phase1: {
    encryption: ['aes-cbc-256', 'aes-cbc-192', 'aes-cbc-128'],
    hash: ['sha2-512', 'sha2-384', 'sha2-256', 'sha1'],
    groups: [14, 15, 16, 19, 20, 21],
    lifetimeSeconds: 28_800,
  },
  phase2: {
    encryption: ['aes-gcm-16-256', 'aes-gcm-16-128', 'aes-cbc-256', 'aes-cbc-192', 'aes-cbc-128'],
    integrity: ['hmac-sha2-512-256', 'hmac-sha2-384-192', 'hmac-sha2-256-128', 'hmac-sha1-96'],
    groups: [14, 15, 16, 19, 20, 21],
    lifetimeSeconds: 3600,
  },
  halfOpenMs: 30_000,
  dpd: { intervalMs: 30_000, timeoutMs: 120_000 },
  sasPerSessionMax: 8,
  fragmentation: true,
};
const NOTHING = new Uint8Array(0);
const tv = (type: number, value: number): Attribute => ({ type, form: 'TV', value });

interface Phase1Row {
  encryption?: number;
  keyLength?: number;
  hash?: number;
  group?: number;
  authentication?: number;
  seconds?: number;
  extra?: readonly Attribute[];
}

function phase1(...rows: readonly Phase1Row[]): SaPayload {
  const transforms = rows.map((row, index): Transform => {
    const {
      encryption = ENCRYPTION['AES-CBC'],
      keyLength,
      hash = HASH.SHA1,
      group = 14,
      seconds,
      extra = [],
    } = row;
    return {
      number: index + 1,
      id: 1,
      attributes: [
        tv(PHASE_1_ATTRIBUTE.encryption, encryption),
        ...(keyLength === undefined ? [] : [tv(PHASE_1_ATTRIBUTE.keyLength, keyLength)]),
        tv(PHASE_1_ATTRIBUTE.hash, hash),
        tv(PHASE_1_ATTRIBUTE.authentication, row.authentication ?? 1),
        tv(PHASE_1_ATTRIBUTE.group, group),
        ...(seconds === undefined
          ? []
          : [
              tv(PHASE_1_ATTRIBUTE.lifeType, LIFE_TYPE.seconds),
              numberAttribute(PHASE_1_ATTRIBUTE.lifeDuration, seconds),
            ]),
        ...extra,
      ],
    };
  });
  return { kind: 'SA', proposals: [{ number: 1, protocol: PROTOCOL.ISAKMP, spi: NOTHING, transforms }] };
}

describe('phase 1', () => {
  test("the initiator's order decides, and its transform comes back as it was", () => {
    const offer = phase1(
      { keyLength: 512 },
      { keyLength: 128, hash: HASH['SHA2-256'] },
      { keyLength: 256, hash: HASH['SHA2-512'] },
    );
    const outcome = selectPhase1(offer, POLICY, 'x');
    if (!outcome.ok) throw new Error('refused');
    expect(outcome.selection.suite).toEqual({ encryption: 'aes-cbc-128', hash: 'sha2-256', group: 14 });
    expect(outcome.selection.answer.proposals[0]?.transforms).toEqual([offer.proposals[0]?.transforms[1]]);
  });

  const refused: readonly [string, Phase1Row, string][] = [
    ['AES without a key length (RFC 3602 §5.3)', {}, 'encryption is not supported'],
    ['MD5', { keyLength: 256, hash: HASH.MD5 }, 'hash is not supported'],
    ['DES', { encryption: ENCRYPTION['DES-CBC'] }, 'encryption is not supported'],
    ['3DES', { encryption: ENCRYPTION['3DES-CBC'] }, '3DES needs ike.legacy.3des'],
    ['group 2', { keyLength: 256, group: 2 }, 'MODP1024 needs ike.legacy.modp1024'],
    ['group 5', { keyLength: 256, group: 5 }, 'MODP1536 needs ike.legacy.modp1536'],
    ['group 1', { keyLength: 256, group: 1 }, 'MODP768 is not supported'],
    [
      'RSA',
      { keyLength: 256, authentication: AUTHENTICATION['RSA signatures'] },
      'authentication by RSA signatures',
    ],
    [
      'RSA encryption (CVE-2018-0131)',
      { keyLength: 256, authentication: AUTHENTICATION['RSA encryption'] },
      'RSA encryption',
    ],
    [
      'an attribute twice',
      { keyLength: 256, extra: [tv(PHASE_1_ATTRIBUTE.hash, 2)] },
      'attributes we do not know',
    ],
    ['an unknown attribute', { keyLength: 256, extra: [tv(99, 1)] }, 'attributes we do not know'],
    [
      'a group of its own',
      { keyLength: 256, extra: [tv(PHASE_1_ATTRIBUTE.groupPrime, 7)] },
      'attributes we do not know',
    ],
  ];
  for (const [name, row, why] of refused) {
    test(`refused: ${name}`, () => {
      const outcome = selectPhase1(phase1(row), POLICY, 'x');
      expect(outcome.ok).toBe(false);
      if (!outcome.ok) expect(outcome.refusal.nearest).toContain(why);
    });
  }

  test('lifetimes: the shorter one, eight hours by default, never absurd', () => {
    const seconds = (row: Phase1Row) => {
      const outcome = selectPhase1(phase1({ keyLength: 256, ...row }), POLICY, 'x');
      return outcome.ok ? outcome.selection.lifeSeconds : undefined;
    };
    expect([
      seconds({}),
      seconds({ seconds: 3600 }),
      seconds({ seconds: 86_400 }),
      seconds({ seconds: 1 }),
    ]).toEqual([28_800, 3600, 28_800, 60]);
  });

  test('the nearest offer is the one that needs only a legacy switch', () => {
    const outcome = selectPhase1(
      phase1({ hash: HASH.MD5, group: 1 }, { keyLength: 256, group: 2 }),
      POLICY,
      'x',
    );
    expect(outcome.ok ? '' : outcome.refusal.nearest).toBe(
      'AES-CBC-256/SHA1/MODP1024 (MODP1024 needs ike.legacy.modp1024)',
    );
  });

  test('a flood of offers makes a short line', () => {
    const outcome = selectPhase1(
      phase1(...Array.from({ length: 200 }, (_, group) => ({ group: group + 100 }))),
      POLICY,
      'x',
    );
    expect(outcome.ok ? 0 : outcome.refusal.offered.length).toBe(17);
    expect(outcome.ok ? '' : outcome.refusal.offered.at(-1)).toBe('and 184 more');
  });

  test('no ISAKMP proposal at all', () => {
    const outcome = selectPhase1(
      { kind: 'SA', proposals: [{ number: 1, protocol: 3, spi: NOTHING, transforms: [] }] },
      POLICY,
      'x',
    );
    expect(outcome.ok ? '' : outcome.refusal.reason).toBe('no ISAKMP transform was offered');
  });
});

interface Phase2Row {
  id?: number;
  keyLength?: number | undefined;
  authentication?: number | undefined;
  mode?: number;
  group?: number;
  seconds?: number;
  number?: number;
  protocol?: number;
  spi?: readonly number[];
}

function proposal(row: Phase2Row, index: number): Proposal {
  const {
    id = ESP_TRANSFORM['AES-CBC'],
    mode = ENCAPSULATION.Transport,
    number = index + 1,
    protocol = 3,
    spi = [0, 0, 16, 0],
  } = row;
  const keyLength = 'keyLength' in row ? row.keyLength : 256;
  const authentication = 'authentication' in row ? row.authentication : ESP_AUTHENTICATION['HMAC-SHA1'];
  const attributes = [
    tv(PHASE_2_ATTRIBUTE.encapsulation, mode),
    ...(keyLength === undefined ? [] : [tv(PHASE_2_ATTRIBUTE.keyLength, keyLength)]),
    ...(authentication === undefined ? [] : [tv(PHASE_2_ATTRIBUTE.authentication, authentication)]),
    ...(row.group === undefined ? [] : [tv(PHASE_2_ATTRIBUTE.group, row.group)]),
    tv(PHASE_2_ATTRIBUTE.lifeType, LIFE_TYPE.seconds),
    numberAttribute(PHASE_2_ATTRIBUTE.lifeDuration, row.seconds ?? 3600),
    tv(PHASE_2_ATTRIBUTE.lifeType, LIFE_TYPE.kilobytes),
    numberAttribute(PHASE_2_ATTRIBUTE.lifeDuration, 250_000),
  ];
  return { number, protocol, spi: Uint8Array.from(spi), transforms: [{ number: 1, id, attributes }] };
}

describe('phase 2', () => {
  const PLAIN: Phase2Setting = { natTraversal: true, natted: false, keyExchange: false };
  const NATTED: Phase2Setting = { ...PLAIN, natted: true };
  const select = (rows: readonly Phase2Row[], setting = PLAIN) =>
    selectPhase2({ kind: 'SA', proposals: rows.map(proposal) }, POLICY, setting, 'x');

  test('lifetimes in seconds and kilobytes; a longer one is shortened and said so', () => {
    const outcome = select([{ seconds: 28_800 }]);
    expect(outcome.ok ? outcome.selection : undefined).toMatchObject({
      encryption: 'aes-cbc-256',
      integrity: 'hmac-sha1-96',
      encapsulation: 'none',
      lifeSeconds: 3600,
      lifeKilobytes: 250_000,
      shortened: true,
      peerSpi: 0x1000,
    });
  });

  const suites: readonly [Phase2Row, string, string][] = [
    [{ keyLength: 128 }, 'aes-cbc-128', 'hmac-sha1-96'],
    [
      { keyLength: 192, authentication: ESP_AUTHENTICATION['HMAC-SHA2-256'] },
      'aes-cbc-192',
      'hmac-sha2-256-128',
    ],
    [{ authentication: ESP_AUTHENTICATION['HMAC-SHA2-384'] }, 'aes-cbc-256', 'hmac-sha2-384-192'],
    [{ authentication: ESP_AUTHENTICATION['HMAC-SHA2-512'] }, 'aes-cbc-256', 'hmac-sha2-512-256'],
    [
      { id: ESP_TRANSFORM['AES-GCM-16'], keyLength: 128, authentication: undefined },
      'aes-gcm-16-128',
      'none',
    ],
    [{ id: ESP_TRANSFORM['AES-GCM-16'], authentication: undefined }, 'aes-gcm-16-256', 'none'],
  ];
  for (const [row, encryption, integrity] of suites) {
    test(`${encryption} with ${integrity}`, () => {
      const outcome = select([row]);
      expect(outcome.ok ? outcome.selection : undefined).toMatchObject({ encryption, integrity });
    });
  }

  const refused: readonly [string, readonly Phase2Row[], Phase2Setting, string][] = [
    ['AH', [{ protocol: PROTOCOL.AH }], PLAIN, 'only ESP'],
    ['ESP with IPCOMP', [{ number: 1 }, { number: 1, protocol: PROTOCOL.IPCOMP }], PLAIN, 'a bundle'],
    ['a reserved SPI', [{ spi: [0, 0, 0, 255] }], PLAIN, 'SPI is reserved'],
    ['an SPI of two octets', [{ spi: [1, 2] }], PLAIN, 'SPI is reserved or has a wrong length'],
    ['HMAC-MD5', [{ authentication: ESP_AUTHENTICATION['HMAC-MD5'] }], PLAIN, 'integrity'],
    ['no integrity', [{ authentication: undefined }], PLAIN, 'integrity'],
    ['NULL encryption', [{ id: ESP_TRANSFORM.NULL, keyLength: undefined }], PLAIN, 'encryption'],
    ['3DES', [{ id: ESP_TRANSFORM['3DES'], keyLength: undefined }], PLAIN, '3DES needs ike.legacy.3des'],
    ['GCM with HMAC', [{ id: ESP_TRANSFORM['AES-GCM-16'] }], PLAIN, 'integrity'],
    ['tunnel mode', [{ mode: ENCAPSULATION.Tunnel }], PLAIN, 'L2TP needs transport mode'],
    ['no mode', [{ mode: 0 }], PLAIN, 'L2TP needs transport mode'],
    ['plain transport through a NAT', [{}], NATTED, 'does not pass the NAT'],
    [
      'UDP encapsulation without NAT traversal',
      [{ mode: ENCAPSULATION['UDP-Encapsulated-Transport'] }],
      { ...PLAIN, natTraversal: false },
      'NAT traversal was not agreed',
    ],
    ['PFS with a forbidden group', [{ group: 2 }], { ...PLAIN, keyExchange: true }, 'PFS with MODP1024'],
    ['a group without KE', [{ group: 14 }], PLAIN, 'contradict'],
    ['KE without a group', [{}], { ...PLAIN, keyExchange: true }, 'contradict'],
  ];
  for (const [name, rows, setting, why] of refused) {
    test(`refused: ${name}`, () => {
      const outcome = select(rows, setting);
      expect(outcome.ok ? '' : outcome.refusal.nearest).toContain(why);
    });
  }

  for (const mode of [
    ENCAPSULATION['UDP-Encapsulated-Transport'],
    ENCAPSULATION['UDP-Encapsulated-Transport (draft)'],
  ]) {
    test(`UDP encapsulation, mode ${mode}`, () => {
      const outcome = select([{}, { mode }], NATTED);
      expect(outcome.ok ? outcome.selection.encapsulation : '').toBe('udp');
      expect(outcome.ok ? outcome.selection.chosen.number : 0).toBe(2);
    });
  }
});

describe('which client an offer looks like', () => {
  const rows = [
    [windows10, 'Windows'],
    [macos, 'macOS or iOS'],
    [android7, 'Android 7 to 11'],
    [android4, 'Android 4 to 6'],
    [networkManager, 'Linux with NetworkManager-l2tp'],
  ] as const;
  for (const [profile, name] of rows) {
    test(name, () => {
      const vendors = profile === windows10 ? ['MS NT5 ISAKMPOAKLEY'] : [];
      expect(clientClass(profileOffer(profile.ike), vendors)).toBe(name);
    });
  }

  test('none', () => {
    expect(clientClass(phase1({ keyLength: 192, hash: HASH['SHA2-512'], group: 21 }), [])).toBe(
      UNKNOWN_CLIENT,
    );
    expect(clientClass({ kind: 'SA', proposals: [] }, [])).toBe(UNKNOWN_CLIENT);
  });
});
