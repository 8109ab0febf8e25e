import { hex, toHex } from '../octets.ts';

/**
 * Vendor IDs we act on or name in an explanation. Most are MD5 digests of a text (the test recomputes
 * those); `prefix` rows carry a version or flags behind it. Unknown ones are ignored (RFC 2408 §3.16).
 */
interface VendorIdRow {
  readonly name: string;
  readonly octets: Uint8Array;
  readonly match: 'exact' | 'prefix';
  /** The text whose MD5 digest the octets are. */
  readonly digestOf?: string;
}

const exact = (name: string, digits: string, digestOf?: string): VendorIdRow => ({
  name,
  octets: hex(digits),
  match: 'exact',
  ...(digestOf === undefined ? {} : { digestOf }),
});
const prefix = (name: string, digits: string, digestOf?: string): VendorIdRow => ({
  ...exact(name, digits, digestOf),
  match: 'prefix',
});

export const VENDOR_IDS = [
  exact('RFC 3947', '4a131c81070358455c5728f20e95452f', 'RFC 3947'),
  exact('nat-t-ike-03', '7d9419a65310ca6f2c179d9215529d56', 'draft-ietf-ipsec-nat-t-ike-03'),
  exact('nat-t-ike-02_n', '90cb80913ebb696e086381b5ec427b1f', 'draft-ietf-ipsec-nat-t-ike-02\n'),
  exact('nat-t-ike-02', 'cd60464335df21f87cfdb2fc68b6a448', 'draft-ietf-ipsec-nat-t-ike-02'),
  exact('nat-t-ike-00', '4485152d18b6bbcd0be8a8469579ddcc', 'draft-ietf-ipsec-nat-t-ike-00'),
  /** RFC 3706 §5.1: version 1.0, the only one there is. */
  exact('DPD', 'afcad71368a1f1c96b8696fc77570100'),
  /** [MS-IKEE] §1.7; Cisco and Apple append four octets of flags. */
  prefix('FRAGMENTATION', '4048b7d56ebce88525e7de7f00d6c2d3', 'FRAGMENTATION'),
  prefix('MS NT5 ISAKMPOAKLEY', '1e2b516905991c7d7c96fcbfb587e461', 'MS NT5 ISAKMPOAKLEY'),
  exact(
    'MS-Negotiation Discovery Capable',
    'fb1de3cdf341b7ea16b7e5be0855f120',
    'MS-Negotiation Discovery Capable',
  ),
  exact('Vid-Initial-Contact', '26244d38eddb61b3172a36e3d0cfb819', 'Vid-Initial-Contact'),
  exact('IKE CGA version 1', 'e3a5966a76379fe707228231e5ce8652', 'IKE CGA version 1'),
  exact('MS-MamieExists', '214ca4faffa7f32d6748e5303395ae83', 'MS-MamieExists'),
  prefix('MS AuthIP', '01528bbbc00696121849ab9a1c5b2a51'),
  exact('XAUTH', '09002689dfd6b712'),
  exact('Cisco Unity', '12f5f28c457168a9702d9fe274cc0100'),
  exact('strongSwan', '882fe56d6fd20dbc2251613b2ebe5beb', 'strongSwan'),
  /** Libreswan and Openswan: "OE" and eight or ten printable characters of their own version digest. */
  prefix('Openswan', '4f45'),
  exact('racoon (KAME)', '7003cbc1097dbe9c2600ba6983bc8b35', 'KAME/racoon'),
] as const satisfies readonly VendorIdRow[];

const BY_NAME: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  VENDOR_IDS.map((row) => [row.name, row.octets]),
);

/** The name of a Vendor ID, undefined when it is none we know. */
export function vendorName(octets: Uint8Array): string | undefined {
  const digits = toHex(octets.subarray(0, 64));
  for (const row of VENDOR_IDS) {
    const known = toHex(row.octets);
    if (digits === known || (row.match === 'prefix' && digits.startsWith(known))) return row.name;
  }
  return undefined;
}

/** The octets to send for a name of the table; for our own constants, so an unknown name throws. */
export function vendorId(name: string): Uint8Array {
  const octets = BY_NAME[name];
  if (octets === undefined) throw new Error(`no vendor id named ${name}`);
  return octets;
}
