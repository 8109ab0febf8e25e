/**
 * What stock clients offer and how they behave, as data: the order on the wire, identities, vendor IDs,
 * PPP habits. Every row says where it was seen; a script plays a row against the gateway.
 */
export type Phase1Encryption = 'aes-cbc-256' | 'aes-cbc-192' | 'aes-cbc-128' | '3des-cbc' | 'des-cbc';
export type Hash = 'md5' | 'sha1' | 'sha2-256' | 'sha2-384' | 'sha2-512';
/** IANA numbers: 2 MODP1024, 5 MODP1536, 14 MODP2048, 15 MODP3072, 16 MODP4096, 19 P-256, 20 P-384, 21 P-521. */
export type Group = 2 | 5 | 14 | 15 | 16 | 19 | 20 | 21;

export type Phase1Transform = readonly [Phase1Encryption, Hash, Group];
export type Phase2Transform = readonly [
  Phase1Encryption | 'aes-gcm-16-128' | 'aes-gcm-16-256',
  Hash | 'none',
];

export interface IkeProfile {
  readonly phase1: readonly Phase1Transform[];
  readonly phase1Seconds: number;
  readonly phase2: readonly Phase2Transform[];
  readonly phase2Seconds: number;
  readonly phase2Kilobytes?: number;
  readonly pfs?: Group;
  /** Hexadecimal, in the order sent. */
  readonly vendorIds: readonly string[];
  readonly dpd: boolean;
  readonly initialContact: boolean;
  /** The UDP port in the Quick Mode identity of the client: 1701, or 0 where any port is meant. */
  readonly quickModePort: 0 | 1701;
  readonly natOa: boolean;
}

export type AuthChoice = 'pap' | 'chap-md5' | 'ms-chap-v2';

export interface PppProfile {
  /** LCP options of the first Configure-Request beyond what every client sends, by option number. */
  readonly lcp: readonly number[];
  readonly mru: number;
  /** What the client will answer, most wanted first; EAP first means it Naks down from EAP. */
  readonly auth: readonly AuthChoice[];
  /** Network protocols in the order the client opens them. */
  readonly ncps: readonly ('ipcp' | 'ipv6cp' | 'ccp' | 'acsp')[];
  readonly wins: boolean;
  readonly vanJacobson: boolean;
  readonly identification: readonly string[];
  readonly echoSeconds: number;
}

export interface PeerProfile {
  readonly name: string;
  /** Where the row comes from. */
  readonly source: string;
  readonly ike: IkeProfile;
  readonly ppp: PppProfile;
}

const RFC3947 = '4a131c81070358455c5728f20e95452f';
const NATT_02N = '90cb80913ebb696e086381b5ec427b1f';
const NATT_02 = 'cd60464335df21f87cfdb2fc68b6a448';
const NATT_03 = '7d9419a65310ca6f2c179d9215529d56';
const DPD = 'afcad71368a1f1c96b8696fc77570100';
const FRAGMENTATION = '4048b7d56ebce88525e7de7f00d6c2d3';
const MS_NT5_9 = '1e2b516905991c7d7c96fcbfb587e46100000009';
const MS_NDC = 'fb1de3cdf341b7ea16b7e5be0855f120';
const MS_INITIAL_CONTACT = '26244d38eddb61b3172a36e3d0cfb819';
const MS_IKE_CGA = 'e3a5966a76379fe707228231e5ce8652';
const MS_01528BBB = '01528bbbc00696121849ab9a1c5b2a5100000001';

export const windows10: PeerProfile = {
  name: 'Windows 10/11',
  source: 'nm-l2tp issue 169, libreswan issues 26 and 427, SoftEtherVPN issue 1253',
  ike: {
    phase1: [
      ['aes-cbc-256', 'sha1', 20],
      ['aes-cbc-128', 'sha1', 19],
      ['aes-cbc-256', 'sha1', 14],
      ['3des-cbc', 'sha1', 14],
      ['3des-cbc', 'sha1', 2],
    ],
    phase1Seconds: 28800,
    phase2: [
      ['aes-cbc-256', 'sha1'],
      ['aes-cbc-128', 'sha1'],
      ['3des-cbc', 'sha1'],
    ],
    phase2Seconds: 3600,
    phase2Kilobytes: 250000,
    vendorIds: [
      MS_01528BBB,
      MS_NT5_9,
      RFC3947,
      NATT_02N,
      FRAGMENTATION,
      MS_NDC,
      MS_INITIAL_CONTACT,
      MS_IKE_CGA,
    ],
    dpd: false,
    initialContact: false,
    quickModePort: 1701,
    natOa: true,
  },
  ppp: {
    lcp: [13], // Callback (CBCP)
    mru: 1400,
    auth: ['ms-chap-v2'],
    ncps: ['ipv6cp', 'ccp', 'ipcp'],
    wins: true,
    vanJacobson: false,
    identification: ['MSRASV5.20', 'MSRAS-0-DESKTOP'],
    echoSeconds: 0,
  },
};

export const macos: PeerProfile = {
  name: 'macOS / iOS',
  source: 'PPPController IPSecCreateL2TPDefaultConfiguration; tunnel-forge issue 13; SoftEtherVPN issue 2110',
  ike: {
    phase1: [
      ['aes-cbc-256', 'sha2-256', 14],
      ['aes-cbc-256', 'sha1', 14],
      ['aes-cbc-256', 'md5', 14],
      ['aes-cbc-256', 'sha2-512', 14],
      ['aes-cbc-256', 'sha2-256', 5],
      ['aes-cbc-256', 'sha1', 5],
      ['aes-cbc-256', 'md5', 5],
      ['aes-cbc-256', 'sha2-256', 2],
      ['aes-cbc-256', 'sha1', 2],
      ['aes-cbc-256', 'md5', 2],
      ['aes-cbc-128', 'sha1', 2],
      ['aes-cbc-128', 'md5', 2],
      ['3des-cbc', 'sha1', 2],
      ['3des-cbc', 'md5', 2],
    ],
    phase1Seconds: 3600,
    phase2: [
      ['aes-cbc-256', 'sha2-256'],
      ['aes-cbc-256', 'sha1'],
      ['aes-cbc-256', 'md5'],
      ['aes-cbc-128', 'sha2-256'],
      ['aes-cbc-128', 'sha1'],
      ['aes-cbc-128', 'md5'],
      ['3des-cbc', 'sha2-256'],
      ['3des-cbc', 'sha1'],
      ['3des-cbc', 'md5'],
    ],
    phase2Seconds: 3600,
    vendorIds: [RFC3947, NATT_03, NATT_02, NATT_02N, FRAGMENTATION, DPD],
    dpd: true,
    initialContact: true,
    quickModePort: 1701,
    natOa: true,
  },
  ppp: {
    lcp: [2], // ACCM
    mru: 1500,
    auth: ['ms-chap-v2', 'chap-md5', 'pap'],
    ncps: ['ipcp', 'ipv6cp', 'acsp'],
    wins: false,
    vanJacobson: true,
    identification: [],
    echoSeconds: 10,
  },
};

/** Only MODP1024: refused unless the legacy group is allowed. */
export const android7: PeerProfile = {
  name: 'Android 7-11',
  source: 'setup-ipsec-vpn issues 1244, 1291, 391, 655',
  ike: {
    phase1: [
      ['aes-cbc-256', 'sha2-384', 2],
      ['aes-cbc-256', 'sha2-256', 2],
      ['aes-cbc-256', 'sha2-512', 2],
      ['aes-cbc-256', 'sha1', 2],
      ['aes-cbc-128', 'sha2-256', 2],
      ['aes-cbc-128', 'sha1', 2],
      ['aes-cbc-128', 'md5', 2],
      ['3des-cbc', 'sha2-256', 2],
      ['3des-cbc', 'sha1', 2],
      ['3des-cbc', 'md5', 2],
      ['des-cbc', 'sha1', 2],
      ['des-cbc', 'md5', 2],
    ],
    phase1Seconds: 28800,
    phase2: [
      ['aes-cbc-256', 'sha2-512'],
      ['aes-cbc-256', 'sha2-256'],
      ['aes-cbc-256', 'sha1'],
      ['aes-cbc-256', 'md5'],
      ['aes-cbc-128', 'sha1'],
      ['3des-cbc', 'sha1'],
    ],
    phase2Seconds: 28800,
    vendorIds: [RFC3947, NATT_02, NATT_02N, FRAGMENTATION, DPD],
    dpd: true,
    initialContact: true,
    quickModePort: 0,
    natOa: true,
  },
  ppp: {
    lcp: [2],
    mru: 1400,
    auth: ['ms-chap-v2', 'chap-md5', 'pap'],
    ncps: ['ccp', 'ipcp'],
    wins: false,
    vanJacobson: true,
    identification: [],
    echoSeconds: 0,
  },
};

export const android4: PeerProfile = {
  ...android7,
  name: 'Android 4-6',
  source: 'CyanogenMod android_external_ipsec-tools setup.c',
  ike: {
    ...android7.ike,
    phase1: [
      ['aes-cbc-256', 'sha1', 2],
      ['aes-cbc-256', 'md5', 2],
      ['aes-cbc-128', 'sha1', 2],
      ['aes-cbc-128', 'md5', 2],
      ['3des-cbc', 'sha1', 2],
      ['3des-cbc', 'md5', 2],
      ['des-cbc', 'sha1', 2],
      ['des-cbc', 'md5', 2],
    ],
  },
};

export const networkManager: PeerProfile = {
  name: 'NetworkManager-l2tp',
  source: 'nm-l2tp-service.c lines 100-130',
  ike: {
    phase1: [
      ['aes-cbc-256', 'sha2-256', 14],
      ['aes-cbc-256', 'sha2-256', 5],
      ['aes-cbc-256', 'sha2-256', 2],
      ['aes-cbc-256', 'sha1', 14],
      ['aes-cbc-256', 'sha1', 5],
      ['aes-cbc-256', 'sha1', 2],
      ['aes-cbc-256', 'sha1', 20],
      ['aes-cbc-128', 'sha1', 2],
      ['aes-cbc-128', 'sha1', 19],
      ['3des-cbc', 'sha1', 14],
      ['3des-cbc', 'sha1', 2],
    ],
    phase1Seconds: 10800,
    phase2: [
      ['aes-cbc-256', 'sha1'],
      ['aes-cbc-128', 'sha1'],
      ['3des-cbc', 'sha1'],
    ],
    phase2Seconds: 3600,
    vendorIds: [DPD, RFC3947, NATT_02N],
    dpd: true,
    initialContact: true,
    quickModePort: 1701,
    natOa: true,
  },
  ppp: {
    lcp: [],
    mru: 1400,
    auth: ['ms-chap-v2', 'chap-md5', 'pap'],
    ncps: ['ipcp'],
    wins: false,
    vanJacobson: true,
    identification: [],
    echoSeconds: 0,
  },
};

/** A modern client with everything strong, for scenarios where the client's age is not the point. */
export const modern: PeerProfile = {
  name: 'modern',
  source: 'own',
  ike: {
    phase1: [['aes-cbc-256', 'sha2-256', 19]],
    phase1Seconds: 28800,
    phase2: [['aes-gcm-16-256', 'none']],
    phase2Seconds: 3600,
    vendorIds: [RFC3947, DPD],
    dpd: true,
    initialContact: false,
    quickModePort: 1701,
    natOa: true,
  },
  ppp: { ...networkManager.ppp, vanJacobson: false },
};
