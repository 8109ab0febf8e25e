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

/**
 * RFC 7296 §3.13.1. Addresses of one family, both ends included; `protocol` 0 is any. For ICMP the ports are
 * type and code (RFC 4301 §4.4.1.1).
 */
export interface TrafficSelector {
  readonly protocol: number;
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
}

/** An IPsec SA pair (RFC 3193: transport mode, UDP 1701; or IKEv2's tunnel mode). */
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
  /** Tunnel mode: which IP packets run in it, 1 to 16 selectors a side. Absent: transport mode, L2TP. */
  readonly tunnel?: {
    readonly local: readonly TrafficSelector[];
    readonly remote: readonly TrafficSelector[];
  };
  /** RFC 4303 §2.2.1: extended sequence numbers. */
  readonly esn?: boolean;
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

/** A token bucket of octets. */
export interface OctetRate {
  readonly octetsPerSecond: number;
  /** At least 1500, or a full packet would never pass. */
  readonly burstOctets: number;
}

/** The prefix and the ports are those of the far end: what a client talks to. `protocol` 0 is any. */
export interface PolicyRule {
  readonly permit: boolean;
  readonly protocol: number;
  readonly prefix: string;
  readonly fromPort: number;
  readonly toPort: number;
  /** 0 to 3: which of the accounts its packets are counted in. */
  readonly class: number;
}

/** What a link's user may do. */
export interface LinkPolicy {
  /** At most 256; the first that matches decides, none is a refusal. Absent: all is permitted, in class 0. */
  readonly rules?: readonly PolicyRule[];
  readonly rateFromPeer?: OctetRate;
  readonly rateToPeer?: OctetRate;
  /** DSCP of the outer header of user packets. Absent: the inner packet's (RFC 2983 §3). */
  readonly dscp?: number;
}

/** A PPP link whose IPCP or IPV6CP is Opened, or an IKEv2 client with its address: user packets may pass. */
export interface LinkEntry {
  readonly kind: 'link';
  readonly session: SessionId;
  readonly trace: string;
  /** Zero, which no call has (RFC 2661 §3.1): the packets run in the session's tunnel-mode SAs. */
  readonly call: number;
  readonly user: string;
  readonly ipv4?: { readonly address: string };
  readonly ipv6?: {
    readonly prefix: string;
    readonly prefixLength: number;
    readonly interfaceId: Uint8Array;
  };
  /** Further prefixes behind the client, at most 64: `10.1.0.0/16`, `2001:db8::/48`. */
  readonly routes?: readonly string[];
  readonly policy?: LinkPolicy;
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
