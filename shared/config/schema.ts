import { z } from 'zod';
import {
  address,
  address4,
  address6,
  addressPort,
  cidr,
  cidr4,
  cidr6,
  count,
  interfaceName,
  milliseconds,
  port,
  seconds,
  url,
  userName,
  word,
} from './values.ts';

/**
 * The one YAML file, as it is written. Units stand in the names; every limit is a bound of the schema.
 * A secret is given inline or as a file (`secret` or `secretFile`), relative to the configuration's folder.
 * `config.ts` turns the checked settings into `Config`.
 */
const listener = z.strictObject({
  name: word.default('main').describe('PSKs are chosen by it'),
  addresses: z
    .array(address)
    .min(1)
    .max(64)
    .default(['0.0.0.0', '::'])
    .describe('Addresses clients dial. Answers leave from the address that was dialled'),
  ikePort: port.default(500).describe('UDP port of IKE. Stock clients know only 500'),
  natTraversalPort: port
    .default(4500)
    .describe('UDP port of IKE and ESP behind NAT (RFC 3948). Stock clients know only 4500'),
  forceEncapsulation: z
    .boolean()
    .default(false)
    .describe('Answer NAT detection (RFC 3947 §3.2) as if there were a NAT, so that ESP always runs in UDP'),
});

const psk = z.strictObject({
  name: word.describe('Shown in logs and in `culvert sessions`'),
  secret: z.string().optional().describe('The key itself. Prefer secretFile'),
  secretFile: z.string().optional().describe('File whose content, without the last line end, is the key'),
  listeners: z.array(word).max(64).default([]).describe('Names of listeners it is valid on. Empty: all'),
  remotes: z
    .array(cidr)
    .max(256)
    .default([])
    .describe('Outer source prefixes it is valid for; the longest match is tried first. Empty: all'),
});

const ike = z.strictObject({
  legacy: z
    .strictObject({
      '3des': z.boolean().default(false).describe('3DES-CBC in IKE and ESP'),
      modp1024: z.boolean().default(false).describe('Group 2. Stock Android 4 to 11 offers nothing else'),
      modp1536: z.boolean().default(false).describe('Group 5'),
    })
    .prefault({})
    .describe('Weak algorithms, each to be allowed by name'),
  lifetimeSeconds: seconds(300, 86_400)
    .default(28_800)
    .describe('Upper bound of an ISAKMP SA lifetime; a client may ask for less'),
  fragmentation: z.boolean().default(true).describe('IKEv1 fragmentation, as announced by vendor ID'),
  fragmentOctets: count(512, 1400).default(1200).describe('Our fragments: largest IKE message per datagram'),
  dpd: z
    .strictObject({
      intervalSeconds: seconds(5, 3600).default(30).describe('Probe after this long without inbound traffic'),
      timeoutSeconds: seconds(10, 7200).default(120).describe('Give the peer up after this long in silence'),
    })
    .prefault({})
    .describe('RFC 3706'),
  halfOpenMax: count(16, 100_000)
    .default(4_000)
    .describe('Unauthenticated ISAKMP SAs; above it new ones wait'),
  halfOpenPerSourceMax: count(1, 10_000)
    .default(64)
    .describe('The same per source address (IPv4) or /64 (IPv6)'),
  halfOpenTimeoutSeconds: seconds(5, 120).default(30).describe('A Main Mode that takes longer is forgotten'),
  sasPerSessionMax: count(2, 64)
    .default(8)
    .describe('ISAKMP SAs and, separately, IPsec SA pairs per session'),
  identity: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('Our ID in Main Mode: an address or a domain name. Default: the address that was dialled'),
});

const esp = z.strictObject({
  lifetimeSeconds: seconds(120, 86_400).default(3_600).describe('Upper bound of an IPsec SA lifetime'),
  pfs: z
    .literal('if-offered')
    .default('if-offered')
    .describe('Quick Mode with KE is accepted, never demanded'),
  replayWindow: count(64, 65_536).default(1_024).describe('Packets (RFC 4303 §3.4.3)'),
});

const l2tp = z.strictObject({
  hostName: word.default('culvert').describe('Host Name AVP (RFC 2661 §4.4.3)'),
  tunnelSecret: z.string().min(1).optional().describe('Shared secret of tunnel authentication. Seldom used'),
  tunnelSecretFile: z.string().optional().describe('File with the same'),
  hideAvps: z.boolean().default(false).describe('Hide AVPs that may be hidden (§4.3); needs a tunnel secret'),
  helloIdleSeconds: seconds(10, 3_600).default(60).describe('Hello after this long without traffic (§5.5)'),
  receiveWindow: count(1, 8).default(8).describe('Receive Window Size AVP, messages'),
  retransmitMs: milliseconds(250, 8_000).default(1_000).describe('First retransmission interval (§5.8)'),
  retransmitCapMs: milliseconds(1_000, 60_000).default(8_000).describe('Cap of the doubled interval'),
  retransmitMax: count(1, 20).default(5).describe('Retransmissions before the tunnel is given up'),
  tunnelsPerSessionMax: count(1, 8).default(4).describe('Stock clients open one'),
  callsPerTunnelMax: count(1, 8)
    .default(2)
    .describe('Stock clients place one. At most 8 in all tunnels of a session'),
});

export const authMethod = z.enum(['ms-chap-v2', 'chap-md5', 'pap']);

const ppp = z.strictObject({
  mru: count(576, 1_500).default(1_400).describe('Largest PPP information field, octets (RFC 1661 §6.1)'),
  authentication: z
    .array(authMethod)
    .min(1)
    .default(['ms-chap-v2', 'chap-md5', 'pap'])
    .describe('Offered in this order, as far as the users can be verified with them'),
  authenticationTimeoutSeconds: seconds(5, 300).default(60).describe('From LCP Opened to authenticated'),
  echo: z
    .strictObject({
      intervalSeconds: seconds(5, 3_600).default(30),
      failures: count(1, 60).default(4).describe('Unanswered requests in a row that end the link'),
    })
    .prefault({})
    .describe('LCP Echo-Request (RFC 1661 §5.8)'),
  dns: z.array(address4).max(2).default([]).describe('Name servers for IPCP (RFC 1877), at most two'),
  dns6: z.array(address6).max(3).default([]).describe('Name servers in router advertisements (RFC 8106)'),
  pfcAcfc: z.boolean().default(true).describe('Accept Protocol and Address-and-Control field compression'),
  restartMs: milliseconds(500, 30_000).default(3_000).describe('Restart timer (RFC 1661 §4.6)'),
  maxConfigure: count(1, 50).default(10),
  maxTerminate: count(1, 10).default(2),
  maxFailure: count(1, 20).default(5),
});

const pool = z.strictObject({
  ipv4: cidr4.default('10.98.0.0/22').describe('Addresses for clients'),
  gateway4: address4
    .optional()
    .describe('Our end of every link; never leased. Default: the first of the pool'),
  ipv6: cidr6.optional().describe('Each session gets a /64 of it. Absent: IPV6CP is rejected'),
});

const user = z.strictObject({
  name: userName,
  password: z.string().min(1).max(256).optional().describe('Prefer passwordFile or `culvert user add`'),
  passwordFile: z
    .string()
    .optional()
    .describe('File whose content, without the last line end, is the password'),
  chap: z.boolean().default(false).describe('Keep what CHAP-MD5 needs: the password itself, sealed'),
  ipv4: address4.optional().describe('A fixed address for this user, one of the pool'),
  sessionTimeoutSeconds: seconds(60, 31_536_000).optional(),
});

const edge = z.strictObject({
  workers: count(1, 64).optional().describe('Packet workers. Default: one per processor, at most 4'),
  tun: interfaceName.default('culvert0').describe('Name of the tun device'),
  outerMtu: count(1_280, 9_000).default(1_500).describe('MTU of the path to clients, octets'),
  rawEsp: z.boolean().default(true).describe('Serve clients without NAT by ESP (IP protocol 50)'),
  cipher: z
    .enum(['auto', 'ipsec-mb', 'openssl'])
    .default('auto')
    .describe('What computes ESP: auto takes intel-ipsec-mb where it is built in and right, else OpenSSL'),
  sessionsMax: count(16, 1_000_000)
    .default(100_000)
    .describe('Sessions whose traffic is counted one by one, per worker; room for four SAs each'),
  snat: z
    .boolean()
    .default(false)
    .describe('Masquerade clients behind the address of the outgoing interface'),
  clientToClient: z.boolean().default(false).describe('Let clients reach each other'),
});

const nats = z.strictObject({
  embedded: z.boolean().optional().describe('Run a nats-server of our own. Default: true without `url`'),
  url: url(['nats:', 'tls:']).optional().describe('An external server, without user or password in it'),
  user: z.string().optional(),
  password: z.string().optional(),
  passwordFile: z.string().optional(),
  caFile: z.string().optional().describe('Certificate authority of the server, PEM'),
  certFile: z.string().optional().describe('Our certificate, PEM'),
  keyFile: z.string().optional().describe('Key of our certificate, PEM'),
});

const telemetry = z.strictObject({
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  otlp: url(['http:', 'https:'])
    .optional()
    .describe('OTLP over HTTP: base URL such as http://127.0.0.1:4318'),
  prometheus: addressPort
    .optional()
    .describe('Where edge serves /metrics; ike, l2tp, ppp and aaa take the next four ports'),
  sampling: z.number().min(0).max(1).default(1).describe('Share of sessions that are traced'),
});

/** What may be written. Unknown keys are faults. */
export const settings = z.strictObject({
  node: word.optional().describe("This machine's name in a cluster. Default: the host name"),
  stateDir: z.string().min(1).optional().describe('Keys, users and NATS state. Default: /var/lib/culvert'),
  listen: z.array(listener).min(1).max(16).prefault([{}]),
  psks: z.array(psk).min(1).max(256),
  ike: ike.prefault({}),
  esp: esp.prefault({}),
  l2tp: l2tp.prefault({}),
  ppp: ppp.prefault({}),
  pool: pool.prefault({}),
  users: z.array(user).max(10_000).default([]).describe('Users kept in this file'),
  usersFile: z.string().min(1).optional().describe('Users kept by `culvert user`. Default: in stateDir'),
  routes: z
    .strictObject({
      corporate: z
        .array(cidr)
        .max(1_024)
        .default([])
        .describe('Prefixes that clients may reach. Empty: everything but the gateway itself'),
    })
    .prefault({}),
  edge: edge.prefault({}),
  nats: nats.prefault({}),
  telemetry: telemetry.prefault({}),
});

export type Settings = z.output<typeof settings>;
