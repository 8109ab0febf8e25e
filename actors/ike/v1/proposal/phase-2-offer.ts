import {
  attributeNumber,
  ENCAPSULATION,
  ESP_AUTHENTICATION,
  ESP_TRANSFORM,
  GROUP,
  LIFE_TYPE,
  nameOf,
  PHASE_2_ATTRIBUTE,
  type Transform,
} from '@culvert/wire/ike';

export type EspEncryption =
  | 'aes-cbc-128'
  | 'aes-cbc-192'
  | 'aes-cbc-256'
  | '3des-cbc'
  | 'aes-gcm-16-128'
  | 'aes-gcm-16-256';
export type EspIntegrity =
  | 'none'
  | 'hmac-sha1-96'
  | 'hmac-sha2-256-128'
  | 'hmac-sha2-384-192'
  | 'hmac-sha2-512-256';

/** One ESP transform in plain numbers (RFC 2407 §4.4.4 and §4.5). */
export interface Phase2Offer {
  readonly transform: Transform;
  readonly keyLength?: number | undefined;
  readonly authentication?: number | undefined;
  readonly encapsulation?: number | undefined;
  readonly group?: number | undefined;
  readonly lifeSeconds?: number | undefined;
  readonly lifeKilobytes?: number | undefined;
  readonly odd: boolean;
}

type Field = 'keyLength' | 'authentication' | 'encapsulation' | 'group';

const FIELDS: Readonly<Record<number, Field>> = {
  [PHASE_2_ATTRIBUTE.keyLength]: 'keyLength',
  [PHASE_2_ATTRIBUTE.authentication]: 'authentication',
  [PHASE_2_ATTRIBUTE.encapsulation]: 'encapsulation',
  [PHASE_2_ATTRIBUTE.group]: 'group',
};

export function phase2Offer(transform: Transform): Phase2Offer {
  const numbers: Partial<Record<Field | 'lifeSeconds' | 'lifeKilobytes', number>> = {};
  let lifeType: number | undefined;
  let odd = false;
  for (const attribute of transform.attributes) {
    const value = attributeNumber(attribute);
    const field = FIELDS[attribute.type];
    if (value === undefined) odd = true;
    else if (field !== undefined) {
      odd ||= numbers[field] !== undefined;
      numbers[field] = value;
    } else if (attribute.type === PHASE_2_ATTRIBUTE.lifeType) lifeType = value;
    else if (attribute.type === PHASE_2_ATTRIBUTE.lifeDuration) {
      if (lifeType === LIFE_TYPE.seconds) numbers.lifeSeconds = value;
      else if (lifeType === LIFE_TYPE.kilobytes) numbers.lifeKilobytes = value;
      else odd = true;
    } else odd = true;
  }
  return { transform, ...numbers, odd };
}

const CBC: Readonly<Record<number, EspEncryption>> = {
  128: 'aes-cbc-128',
  192: 'aes-cbc-192',
  256: 'aes-cbc-256',
};
const GCM: Readonly<Record<number, EspEncryption>> = { 128: 'aes-gcm-16-128', 256: 'aes-gcm-16-256' };
const INTEGRITY: Readonly<Record<number, EspIntegrity>> = {
  [ESP_AUTHENTICATION['HMAC-SHA1']]: 'hmac-sha1-96',
  [ESP_AUTHENTICATION['HMAC-SHA2-256']]: 'hmac-sha2-256-128',
  [ESP_AUTHENTICATION['HMAC-SHA2-384']]: 'hmac-sha2-384-192',
  [ESP_AUTHENTICATION['HMAC-SHA2-512']]: 'hmac-sha2-512-256',
};

/** RFC 3602 §5.3 and RFC 4106 §8.4: both need the Key Length attribute. */
export function espEncryptionOf(offer: Phase2Offer): EspEncryption | undefined {
  if (offer.transform.id === ESP_TRANSFORM['3DES']) return '3des-cbc';
  if (offer.transform.id === ESP_TRANSFORM['AES-CBC']) return CBC[offer.keyLength ?? 0];
  return offer.transform.id === ESP_TRANSFORM['AES-GCM-16'] ? GCM[offer.keyLength ?? 0] : undefined;
}

/** RFC 4106 §8.2: with a combined mode cipher there is no Authentication Algorithm attribute. */
export function espIntegrityOf(offer: Phase2Offer): EspIntegrity | undefined {
  if (offer.transform.id === ESP_TRANSFORM['AES-GCM-16'])
    return offer.authentication === undefined ? 'none' : undefined;
  return INTEGRITY[offer.authentication ?? 0];
}

/** `AES-CBC-256/HMAC-SHA1/UDP-Encapsulated-Transport`, with the group where PFS is offered. */
export function phase2Text(offer: Phase2Offer): string {
  const length = offer.keyLength === undefined ? '' : `-${offer.keyLength}`;
  const parts = [`${nameOf(ESP_TRANSFORM, offer.transform.id)}${length}`];
  if (offer.authentication !== undefined) parts.push(nameOf(ESP_AUTHENTICATION, offer.authentication));
  parts.push(nameOf(ENCAPSULATION, offer.encapsulation ?? 0));
  if (offer.group !== undefined) parts.push(nameOf(GROUP, offer.group));
  return parts.join('/');
}
