/** PPP Protocol field values (RFC 1661 §2, IANA "PPP DLL Protocol Numbers") that Culvert names. */
export const protocols = {
  ipv4: 0x0021,
  ipv6: 0x0057,
  ipcp: 0x8021,
  ipv6cp: 0x8057,
  /** RFC 1962; refused, the tunnel is encrypted below. */
  ccp: 0x80fd,
  /** Apple Client Server Control Protocol; refused. */
  acsp: 0x8235,
  /** MPLS Control Protocol (RFC 3032); refused. */
  mplscp: 0x8281,
  lcp: 0xc021,
  pap: 0xc023,
  /** RFC 1989; refused. */
  lqr: 0xc025,
  chap: 0xc223,
  eap: 0xc227,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  [protocols.ipv4]: 'IPv4',
  [protocols.ipv6]: 'IPv6',
  [protocols.ipcp]: 'IPCP',
  [protocols.ipv6cp]: 'IPV6CP',
  [protocols.ccp]: 'CCP',
  [protocols.acsp]: 'ACSP',
  [protocols.mplscp]: 'MPLSCP',
  [protocols.lcp]: 'LCP',
  [protocols.pap]: 'PAP',
  [protocols.lqr]: 'LQR',
  [protocols.chap]: 'CHAP',
  [protocols.eap]: 'EAP',
};

export function protocolName(protocol: number): string {
  return NAMES[protocol] ?? `0x${protocol.toString(16).padStart(4, '0')}`;
}
