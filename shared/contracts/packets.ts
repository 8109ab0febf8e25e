import type { After, Flow, SessionId } from './session.ts';

/** edge -> ike: one datagram of UDP 500, or of UDP 4500 behind the non-ESP marker (marker removed). */
export interface IkePacket {
  readonly node: string;
  /** Name of the configured listener that received it; PSKs are chosen by it. */
  readonly listener: string;
  readonly flow: Flow;
  readonly nonEspMarker: boolean;
  readonly octets: Uint8Array;
}

/** ike -> edge. */
export interface IkeDatagram {
  readonly flow: Flow;
  readonly nonEspMarker: boolean;
  readonly octets: Uint8Array;
  readonly after?: After;
}

/** edge -> l2tp: one L2TP control message (T bit set) that came out of an SA of this session. */
export interface L2tpPacket {
  readonly session: SessionId;
  readonly spi: number;
  readonly flow: Flow;
  /** UDP ports inside ESP, as the client sent them. */
  readonly innerPorts: { readonly local: number; readonly remote: number };
  readonly octets: Uint8Array;
}

/** l2tp -> edge: goes out through the session's current outbound SA. */
export interface L2tpDatagram {
  readonly session: SessionId;
  readonly innerPorts: { readonly local: number; readonly remote: number };
  readonly octets: Uint8Array;
  readonly after?: After;
}

/**
 * edge -> ppp: a PPP frame of a bound call that is not user data: `octets` starts with the two-octet
 * Protocol field (address and control and protocol compression already undone).
 */
export interface PppPacket {
  readonly session: SessionId;
  /** Our L2TP Session ID of the call. */
  readonly call: number;
  readonly octets: Uint8Array;
}

/** ppp -> edge, the same form; the edge adds the L2TP data header and, where due, FF 03. */
export interface PppFrame {
  readonly session: SessionId;
  readonly call: number;
  readonly octets: Uint8Array;
  readonly after?: After;
}

/** l2tp -> edge, a question: how long ago did this session last receive anything through ESP? */
export interface ActivityQuestion {
  readonly session: SessionId;
}
export interface ActivityAnswer {
  /** Undefined when the edge knows no SA of the session. */
  readonly idleMs?: number;
}
