import type { EspEncryption, EspIntegrity } from '@culvert/contracts';
import type { CbcCipher, DhGroup, HashName } from '@culvert/crypto';
import {
  type Attribute,
  AUTHENTICATION,
  attributeNumber,
  ENCAPSULATION,
  ENCRYPTION,
  ESP_AUTHENTICATION,
  ESP_TRANSFORM,
  HASH,
  KEY_IKE,
  LIFE_TYPE,
  numberAttribute,
  PHASE_1_ATTRIBUTE,
  PHASE_2_ATTRIBUTE,
  PROTOCOL,
  type SaPayload,
  type Transform,
} from '@culvert/wire/ike';
import type { Hash, IkeProfile, Phase1Transform, Phase2Transform } from './profile.ts';

/** The offers of a profile as SA payloads, in the order of the profile, and what an answer selected. */
const ENCRYPTION_IDS = {
  'aes-cbc-256': [ENCRYPTION['AES-CBC'], 256],
  'aes-cbc-192': [ENCRYPTION['AES-CBC'], 192],
  'aes-cbc-128': [ENCRYPTION['AES-CBC'], 128],
  '3des-cbc': [ENCRYPTION['3DES-CBC'], 0],
  'des-cbc': [ENCRYPTION['DES-CBC'], 0],
} as const;

const HASH_IDS: Readonly<Record<Hash, number>> = {
  md5: HASH.MD5,
  sha1: HASH.SHA1,
  'sha2-256': HASH['SHA2-256'],
  'sha2-384': HASH['SHA2-384'],
  'sha2-512': HASH['SHA2-512'],
};

const ESP_IDS = {
  'aes-cbc-256': [ESP_TRANSFORM['AES-CBC'], 256],
  'aes-cbc-192': [ESP_TRANSFORM['AES-CBC'], 192],
  'aes-cbc-128': [ESP_TRANSFORM['AES-CBC'], 128],
  'aes-gcm-16-128': [ESP_TRANSFORM['AES-GCM-16'], 128],
  'aes-gcm-16-256': [ESP_TRANSFORM['AES-GCM-16'], 256],
  '3des-cbc': [ESP_TRANSFORM['3DES'], 0],
  'des-cbc': [ESP_TRANSFORM.DES, 0],
} as const;

const ESP_AUTH_IDS: Readonly<Record<Hash, number>> = {
  md5: ESP_AUTHENTICATION['HMAC-MD5'],
  sha1: ESP_AUTHENTICATION['HMAC-SHA1'],
  'sha2-256': ESP_AUTHENTICATION['HMAC-SHA2-256'],
  'sha2-384': ESP_AUTHENTICATION['HMAC-SHA2-384'],
  'sha2-512': ESP_AUTHENTICATION['HMAC-SHA2-512'],
};

const ESP_INTEGRITY: Readonly<Record<Hash | 'none', EspIntegrity>> = {
  none: 'none',
  md5: 'none',
  sha1: 'hmac-sha1-96',
  'sha2-256': 'hmac-sha2-256-128',
  'sha2-384': 'hmac-sha2-384-192',
  'sha2-512': 'hmac-sha2-512-256',
};

export interface Phase1Suite {
  readonly cipher: CbcCipher;
  readonly hash: HashName;
  readonly group: DhGroup;
}

export interface Phase2Suite {
  readonly encryption: EspEncryption;
  readonly integrity: EspIntegrity;
}

const tv = (type: number, value: number): Attribute => ({ type, form: 'TV', value });

export function phase1Offer(profile: IkeProfile): SaPayload {
  const transforms = profile.phase1.map((row, index): Transform => {
    const [encryption, bits] = ENCRYPTION_IDS[row[0]];
    return {
      number: index + 1,
      id: KEY_IKE,
      attributes: [
        tv(PHASE_1_ATTRIBUTE.encryption, encryption),
        ...(bits === 0 ? [] : [tv(PHASE_1_ATTRIBUTE.keyLength, bits)]),
        tv(PHASE_1_ATTRIBUTE.hash, HASH_IDS[row[1]]),
        tv(PHASE_1_ATTRIBUTE.group, row[2]),
        tv(PHASE_1_ATTRIBUTE.authentication, AUTHENTICATION['pre-shared key']),
        tv(PHASE_1_ATTRIBUTE.lifeType, LIFE_TYPE.seconds),
        numberAttribute(PHASE_1_ATTRIBUTE.lifeDuration, profile.phase1Seconds),
      ],
    };
  });
  return {
    kind: 'SA',
    proposals: [{ number: 1, protocol: PROTOCOL.ISAKMP, spi: new Uint8Array(0), transforms }],
  };
}

/** One proposal per transform, as Windows and pluto do; `spi` is where we want to receive. */
export function phase2Offer(profile: IkeProfile, spi: Uint8Array, udp: boolean, draft: boolean): SaPayload {
  const encapsulation = !udp
    ? ENCAPSULATION.Transport
    : draft
      ? ENCAPSULATION['UDP-Encapsulated-Transport (draft)']
      : ENCAPSULATION['UDP-Encapsulated-Transport'];
  const proposals = profile.phase2.map((row, index) => ({
    number: index + 1,
    protocol: PROTOCOL.ESP,
    spi,
    transforms: [phase2Transform(profile, row, encapsulation)],
  }));
  return { kind: 'SA', proposals };
}

function phase2Transform(profile: IkeProfile, row: Phase2Transform, encapsulation: number): Transform {
  const [id, bits] = ESP_IDS[row[0]];
  const life =
    profile.phase2Kilobytes === undefined
      ? []
      : [
          tv(PHASE_2_ATTRIBUTE.lifeType, LIFE_TYPE.kilobytes),
          numberAttribute(PHASE_2_ATTRIBUTE.lifeDuration, profile.phase2Kilobytes),
        ];
  return {
    number: 1,
    id,
    attributes: [
      tv(PHASE_2_ATTRIBUTE.lifeType, LIFE_TYPE.seconds),
      numberAttribute(PHASE_2_ATTRIBUTE.lifeDuration, profile.phase2Seconds),
      ...life,
      tv(PHASE_2_ATTRIBUTE.encapsulation, encapsulation),
      ...(row[1] === 'none' ? [] : [tv(PHASE_2_ATTRIBUTE.authentication, ESP_AUTH_IDS[row[1]])]),
      ...(bits === 0 ? [] : [tv(PHASE_2_ATTRIBUTE.keyLength, bits)]),
      ...(profile.pfs === undefined ? [] : [tv(PHASE_2_ATTRIBUTE.group, profile.pfs)]),
    ],
  };
}

/** The row of the profile that a responder's SA payload names, by its attributes and not by its number. */
export function selectedPhase1(profile: IkeProfile, answer: SaPayload): Phase1Transform | undefined {
  const attributes = answer.proposals[0]?.transforms[0]?.attributes ?? [];
  const read = (type: number) => attributeOf(attributes, type);
  return profile.phase1.find(([encryption, hash, group]) => {
    const [id, bits] = ENCRYPTION_IDS[encryption];
    return (
      read(PHASE_1_ATTRIBUTE.encryption) === id &&
      (read(PHASE_1_ATTRIBUTE.keyLength) ?? 0) === bits &&
      read(PHASE_1_ATTRIBUTE.hash) === HASH_IDS[hash] &&
      read(PHASE_1_ATTRIBUTE.group) === group
    );
  });
}

export function selectedPhase2(profile: IkeProfile, answer: SaPayload): Phase2Transform | undefined {
  const transform = answer.proposals[0]?.transforms[0];
  if (transform === undefined) return undefined;
  return profile.phase2.find(([encryption, hash]) => {
    const [id, bits] = ESP_IDS[encryption];
    const authentication = hash === 'none' ? undefined : ESP_AUTH_IDS[hash];
    return (
      transform.id === id &&
      (attributeOf(transform.attributes, PHASE_2_ATTRIBUTE.keyLength) ?? 0) === bits &&
      attributeOf(transform.attributes, PHASE_2_ATTRIBUTE.authentication) === authentication
    );
  });
}

export function phase1Suite([encryption, hash, group]: Phase1Transform): Phase1Suite {
  if (encryption === 'des-cbc' || hash === 'md5')
    throw new Error(`the gateway chose ${encryption} with ${hash}`);
  return { cipher: encryption, hash, group };
}

export function phase2Suite([encryption, hash]: Phase2Transform): Phase2Suite {
  if (encryption === 'des-cbc' || hash === 'md5')
    throw new Error(`the gateway chose ${encryption} with ${hash}`);
  return { encryption, integrity: ESP_INTEGRITY[hash] };
}

function attributeOf(attributes: readonly Attribute[], type: number): number | undefined {
  const attribute = attributes.find((candidate) => candidate.type === type);
  return attribute === undefined ? undefined : attributeNumber(attribute);
}
