import { be16, be32, concat, hex } from '@culvert/wire';
import { DOI, EXCHANGE, emitClearMessage, ID_TYPE, NOTIFY, type Payload, PROTOCOL } from '@culvert/wire/ike';
import { phase1Offer, phase2Offer } from '../peer/isakmp-offer.ts';
import { android7, macos, modern, networkManager, windows10 } from '../peer/profile.ts';

export const PROFILES = [windows10, macos, android7, networkManager, modern];
const COOKIES = { initiatorCookie: hex('0102030405060708'), responderCookie: hex('1112131415161718') };
const octets = (length: number, value = 0x5a) => new Uint8Array(length).fill(value);

const notification = (notifyType: number, spi: Uint8Array, data: Uint8Array): Payload => ({
  kind: 'N',
  doi: DOI.IPSEC,
  protocol: PROTOCOL.ISAKMP,
  notifyType,
  spi,
  data,
});

const id = (port: number): Payload => ({
  kind: 'ID',
  idType: ID_TYPE.ID_IPV4_ADDR,
  ipProtocol: 17,
  port,
  data: octets(4),
});

/** The payloads of every message that a client sends, by what it is. */
export const CHAINS: Readonly<Record<string, readonly Payload[]>> = {
  ...Object.fromEntries(
    PROFILES.map(({ name, ike }) => [
      `MM1 ${name}`,
      [phase1Offer(ike), ...ike.vendorIds.map((digits): Payload => ({ kind: 'VID', data: hex(digits) }))],
    ]),
  ),
  MM3: [
    { kind: 'KE', data: octets(256) },
    { kind: 'NONCE', data: octets(32) },
    { kind: 'NAT-D', numbers: 'rfc3947', hash: octets(32) },
    { kind: 'NAT-D', numbers: 'draft', hash: octets(20) },
  ],
  MM5: [
    id(0),
    { kind: 'HASH', data: octets(32) },
    notification(NOTIFY['INITIAL-CONTACT'], octets(16), octets(0)),
  ],
  ...Object.fromEntries(
    PROFILES.map(({ name, ike }) => [
      `QM1 ${name}`,
      [
        { kind: 'HASH', data: octets(20) },
        phase2Offer(ike, be32(0x1234_5678), true, false),
        { kind: 'NONCE', data: octets(32) },
        id(1701),
        id(1701),
        { kind: 'NAT-OA', numbers: 'rfc3947', address: octets(4) },
        { kind: 'NAT-OA', numbers: 'draft', address: octets(16) },
      ] satisfies Payload[],
    ]),
  ),
  QM3: [{ kind: 'HASH', data: octets(20) }],
  DPD: [{ kind: 'HASH', data: octets(20) }, notification(NOTIFY['R-U-THERE'], octets(16), be32(7))],
  delete: [
    { kind: 'HASH', data: octets(20) },
    { kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ESP, spis: [be32(0x300), be32(0x301)] },
    { kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ISAKMP, spis: [octets(16)] },
  ],
  certificates: [
    { kind: 'CR', encoding: 4, data: octets(30) },
    { kind: 'CERT', encoding: 4, data: octets(100) },
    { kind: 'SIG', data: octets(128) },
    { kind: 'private', type: 200, data: octets(9) },
  ],
  fragment: [{ kind: 'FRAGMENT', id: 3, number: 1, last: true, data: octets(40) }],
};

/** Whole datagrams in the clear. */
export const MESSAGES: readonly Uint8Array[] = Object.values(CHAINS).map((payloads) =>
  emitClearMessage({ ...COOKIES, exchange: EXCHANGE.identityProtection, messageId: 0 }, payloads),
);

/** RFC 2408 §3.3, both forms. */
export const ATTRIBUTES: readonly Uint8Array[] = [
  concat(be16(0x8001), be16(7), be16(0x800e), be16(256), be16(0x8002), be16(4)),
  concat(be16(0x000c), be16(4), be32(28_800), be16(0x800b), be16(1)),
  concat(be16(0x0010), be16(0), be16(0x0011), be16(9), octets(9)),
];
