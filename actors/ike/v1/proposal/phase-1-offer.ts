import {
  AUTHENTICATION,
  attributeNumber,
  ENCRYPTION,
  GROUP,
  HASH,
  KEY_IKE,
  LIFE_TYPE,
  nameOf,
  PHASE_1_ATTRIBUTE,
  type Transform,
} from '@culvert/wire/ike';

export type Phase1Encryption = 'aes-cbc-128' | 'aes-cbc-192' | 'aes-cbc-256' | '3des-cbc';
export type Phase1Hash = 'sha1' | 'sha2-256' | 'sha2-384' | 'sha2-512';

/** One phase 1 transform in plain numbers (RFC 2409 appendix A); undefined where it says nothing. */
export interface Phase1Offer {
  readonly transform: Transform;
  readonly encryption?: number | undefined;
  readonly keyLength?: number | undefined;
  readonly hash?: number | undefined;
  readonly authentication?: number | undefined;
  readonly group?: number | undefined;
  readonly lifeSeconds?: number | undefined;
  readonly lifeKilobytes?: number | undefined;
  /** Something in it has no number, is unknown, or contradicts itself: never selected. */
  readonly odd: boolean;
}

type Field = 'encryption' | 'keyLength' | 'hash' | 'authentication' | 'group';

const FIELDS: Readonly<Record<number, Field>> = {
  [PHASE_1_ATTRIBUTE.encryption]: 'encryption',
  [PHASE_1_ATTRIBUTE.keyLength]: 'keyLength',
  [PHASE_1_ATTRIBUTE.hash]: 'hash',
  [PHASE_1_ATTRIBUTE.authentication]: 'authentication',
  [PHASE_1_ATTRIBUTE.group]: 'group',
};

/** RFC 2407 §4.5: a life duration belongs to the life type before it. */
export function phase1Offer(transform: Transform): Phase1Offer {
  const numbers: Partial<Record<Field | 'lifeSeconds' | 'lifeKilobytes', number>> = {};
  let lifeType: number | undefined;
  let odd = transform.id !== KEY_IKE;
  for (const attribute of transform.attributes) {
    const value = attributeNumber(attribute);
    const field = FIELDS[attribute.type];
    if (value === undefined) odd = true;
    else if (field !== undefined) {
      odd ||= numbers[field] !== undefined;
      numbers[field] = value;
    } else if (attribute.type === PHASE_1_ATTRIBUTE.lifeType) lifeType = value;
    else if (attribute.type === PHASE_1_ATTRIBUTE.lifeDuration) {
      if (lifeType === LIFE_TYPE.seconds) numbers.lifeSeconds = value;
      else if (lifeType === LIFE_TYPE.kilobytes) numbers.lifeKilobytes = value;
      else odd = true;
    } else odd = true;
  }
  return { transform, ...numbers, odd };
}

const AES: Readonly<Record<number, Phase1Encryption>> = {
  128: 'aes-cbc-128',
  192: 'aes-cbc-192',
  256: 'aes-cbc-256',
};
const HASHES: Readonly<Record<number, Phase1Hash>> = {
  [HASH.SHA1]: 'sha1',
  [HASH['SHA2-256']]: 'sha2-256',
  [HASH['SHA2-384']]: 'sha2-384',
  [HASH['SHA2-512']]: 'sha2-512',
};

export function encryptionOf(offer: Phase1Offer): Phase1Encryption | undefined {
  if (offer.encryption === ENCRYPTION['3DES-CBC']) return '3des-cbc';
  // RFC 3602 §5.3: AES has several key lengths, so the attribute has to be there.
  return offer.encryption === ENCRYPTION['AES-CBC'] ? AES[offer.keyLength ?? 0] : undefined;
}

export function hashOf(offer: Phase1Offer): Phase1Hash | undefined {
  return HASHES[offer.hash ?? 0];
}

/** `AES-CBC-256/SHA1/MODP2048`, and the authentication where it is not a pre-shared key. */
export function phase1Text(offer: Phase1Offer): string {
  const length = offer.keyLength === undefined ? '' : `-${offer.keyLength}`;
  const parts = [
    `${nameOf(ENCRYPTION, offer.encryption ?? 0)}${length}`,
    nameOf(HASH, offer.hash ?? 0),
    nameOf(GROUP, offer.group ?? 0),
  ];
  if (offer.authentication !== AUTHENTICATION['pre-shared key'])
    parts.push(nameOf(AUTHENTICATION, offer.authentication ?? 0));
  return parts.join('/');
}
