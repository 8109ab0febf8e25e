import type { AvpValues, ControlHeader, MessageFault, MessageName } from '@culvert/wire/l2tp';

/** A control message as a machine hears it: read, revealed, and its Challenge Response checked. */
export interface Heard {
  /** Undefined: a Message Type that may be ignored. */
  readonly type: MessageName | undefined;
  readonly sessionId: number;
  readonly values: AvpValues;
  readonly fault?: MessageFault;
  /** RFC 2661 §5.1.1, judged where the tunnel secret is; `absent` also when we sent no challenge. */
  readonly proof: 'absent' | 'right' | 'wrong';
  /** Our response to the Challenge in this message, if we have a secret to make one. */
  readonly response?: Uint8Array;
}

/** A control message as a machine says it; sequence numbers and octets come later. */
export interface Spoken {
  readonly type: MessageName;
  /** The peer's Session ID; 0 for messages of the tunnel or while it is unknown. */
  readonly sessionId: number;
  readonly values: AvpValues;
  /** RFC 2661 §4.3, there when values are to be hidden. */
  readonly randomVector?: Uint8Array;
}

/** The UDP ports inside ESP; RFC 2661 §8.1: they stay for the life of the tunnel. */
export interface InnerPorts {
  readonly local: number;
  readonly remote: number;
}

/** One control message to hand to the peer. Without a message it is a ZLB. */
export interface ControlDatagram {
  readonly innerPorts: InnerPorts;
  readonly header: ControlHeader;
  readonly message?: Spoken;
}
