import type { Flow, SessionId } from './session.ts';

/**
 * Forwarding entries: the rows of the data plane that the services want. They stand, sealed, in the
 * `forward` part of each service's record; the edge watches the records and makes the engine match.
 */
export type ForwardEntry = SaEntry | CallEntry | LinkEntry;

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

export interface EspKeys {
  readonly encryption: Uint8Array;
  readonly integrity: Uint8Array;
  /** RFC 4106 §8.1: four octets, AES-GCM only, else empty. */
  readonly salt: Uint8Array;
}

/** An IPsec SA pair (RFC 3193: transport mode, UDP 1701). */
export interface SaEntry {
  readonly kind: 'sa';
  readonly session: SessionId;
  readonly trace: string;
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  readonly encryption: EspEncryption;
  readonly integrity: EspIntegrity;
  readonly inbound: EspKeys;
  readonly outbound: EspKeys;
  /** The outer path when the SA was negotiated; the engine follows NAT rebinding by itself. */
  readonly flow: Flow;
  readonly encapsulation: 'none' | 'udp';
  /** The UDP ports inside; remote 0 stands for any (macOS, iOS). */
  readonly selector: { readonly localPort: number; readonly remotePort: number };
  /** Orders the SAs of a session: the newest one seen in use carries outbound traffic. */
  readonly createdAt: number;
  /** Milliseconds since the epoch; after it the engine neither opens nor seals. */
  readonly expiresAt: number;
}

/** A call bound to the session's tunnel: L2TP data messages of it are PPP frames. */
export interface CallEntry {
  readonly kind: 'call';
  readonly session: SessionId;
  readonly trace: string;
  readonly innerPorts: { readonly local: number; readonly remote: number };
  /** Tunnel and Session ID that each end assigned; inbound messages carry ours, outbound theirs. */
  readonly ours: { readonly tunnel: number; readonly call: number };
  readonly theirs: { readonly tunnel: number; readonly call: number };
  /** The LAC asked for sequence numbers in data messages (RFC 2661 §5.4). */
  readonly sequencing: boolean;
}

/** A PPP link whose IPCP or IPV6CP is Opened: user packets may pass. */
export interface LinkEntry {
  readonly kind: 'link';
  readonly session: SessionId;
  readonly trace: string;
  readonly call: number;
  readonly user: string;
  readonly ipv4?: { readonly address: string };
  readonly ipv6?: {
    readonly prefix: string;
    readonly prefixLength: number;
    readonly interfaceId: Uint8Array;
  };
  /** The largest PPP information field each side takes, in octets. */
  readonly mtuToPeer: number;
  readonly mruFromPeer: number;
  /** The peer accepts these compressions towards it (RFC 1661 §6.5, §6.6). */
  readonly pfcToPeer: boolean;
  readonly acfcToPeer: boolean;
}

/** The part of a record that the edge reads. */
export interface ForwardPart {
  readonly entries: readonly ForwardEntry[];
}
