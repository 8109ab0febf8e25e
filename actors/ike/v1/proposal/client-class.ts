import { AUTHENTICATION, ENCRYPTION, GROUP, HASH, PROTOCOL, type SaPayload } from '@culvert/wire/ike';
import { type Phase1Offer, phase1Offer } from './phase-1-offer.ts';

/** What the offer was made with, as a guess for the operator; nothing is decided by it. */
interface ClassRow {
  readonly name: string;
  readonly is: (offers: readonly Phase1Offer[], vendors: readonly string[]) => boolean;
}

const first = (
  offers: readonly Phase1Offer[],
  encryption: number,
  keyLength: number | undefined,
  hash: number,
  group: number,
) => {
  const offer = offers[0];
  return (
    offer?.encryption === encryption &&
    offer.keyLength === keyLength &&
    offer.hash === hash &&
    offer.group === group
  );
};
const allInGroup = (offers: readonly Phase1Offer[], group: number) =>
  offers.length > 0 && offers.every((offer) => offer.group === group);
const some = (offers: readonly Phase1Offer[], test: (offer: Phase1Offer) => boolean) => offers.some(test);

const { 'AES-CBC': AES, '3DES-CBC': TRIPLE_DES } = ENCRYPTION;

/** In this order: what a vendor ID says first, then the shape of the offer. */
const CLASSES: readonly ClassRow[] = [
  { name: 'Windows', is: (_, vendors) => vendors.includes('MS NT5 ISAKMPOAKLEY') },
  {
    name: 'an IKEv1 XAUTH client (Cisco style)',
    is: (offers) => some(offers, (offer) => (offer.authentication ?? 0) >= AUTHENTICATION.HybridInitRSA),
  },
  {
    name: 'macOS or iOS',
    is: (offers) =>
      offers.length >= 4 &&
      first(offers, AES, 256, HASH['SHA2-256'], GROUP.MODP2048) &&
      offers[0]?.lifeSeconds === 3600,
  },
  {
    name: 'macOS or iOS before 2016',
    is: (offers) =>
      allInGroup(offers, GROUP.MODP1024) &&
      offers[0]?.lifeSeconds === 3600 &&
      first(offers, AES, 256, HASH.SHA1, GROUP.MODP1024),
  },
  {
    name: 'Android 7 to 11',
    is: (offers) =>
      allInGroup(offers, GROUP.MODP1024) && some(offers, (offer) => offer.hash === HASH['SHA2-384']),
  },
  {
    name: 'Android 4 to 6',
    is: (offers) =>
      allInGroup(offers, GROUP.MODP1024) &&
      some(offers, (offer) => offer.encryption === ENCRYPTION['DES-CBC']),
  },
  {
    name: 'ChromeOS',
    is: (offers) => first(offers, AES, 128, HASH['SHA2-256'], GROUP.MODP3072),
  },
  {
    name: 'Linux with NetworkManager-l2tp',
    is: (offers) =>
      first(offers, AES, 256, HASH['SHA2-256'], GROUP.MODP2048) &&
      some(offers, (offer) => offer.group === GROUP.ECP384) &&
      some(offers, (offer) => offer.encryption === TRIPLE_DES),
  },
  {
    name: 'a small router',
    is: (offers) => offers.length > 0 && offers.every((offer) => offer.encryption === TRIPLE_DES),
  },
  { name: 'strongSwan', is: (_, vendors) => vendors.includes('strongSwan') },
  { name: 'Libreswan or Openswan', is: (_, vendors) => vendors.includes('Openswan') },
  { name: 'racoon', is: (_, vendors) => vendors.includes('racoon (KAME)') },
];

export const UNKNOWN_CLIENT = 'no client we know';

export function clientClass(sa: SaPayload, vendors: readonly string[]): string {
  const offers = sa.proposals
    .filter((proposal) => proposal.protocol === PROTOCOL.ISAKMP)
    .flatMap((proposal) => proposal.transforms.map(phase1Offer));
  return CLASSES.find((row) => row.is(offers, vendors))?.name ?? UNKNOWN_CLIENT;
}
