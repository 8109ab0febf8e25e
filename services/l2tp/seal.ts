import type { ControlDatagram } from '@culvert/actors-l2tp';
import { hideAvp, type Secret } from '@culvert/crypto';
import { emitControlMessage, type Hiding, type ValueName } from '@culvert/wire/l2tp';

/** A control message as it leaves. */
export interface SealedControl {
  readonly innerPorts: { readonly local: number; readonly remote: number };
  readonly octets: Uint8Array;
  /** The peer may send PPP frames as soon as it has this: the edge must know the call first. */
  readonly bindsCall: boolean;
}

/**
 * RFC 2661 §4.3 leaves open what to hide. The identifiers and what authenticates the tunnel are worth it;
 * the Challenge Response proves the secret by itself and stays readable for the peer's log.
 */
const HIDDEN: ReadonlySet<ValueName> = new Set([
  'assignedTunnelId',
  'assignedSessionId',
  'challenge',
  'vendorName',
]);

export function sealed(
  { innerPorts, header, message }: ControlDatagram,
  secret: Secret | undefined,
): SealedControl {
  const bindsCall = message?.type === 'ICRP';
  const randomVector = message?.randomVector;
  const hiding: Hiding | undefined =
    secret === undefined || randomVector === undefined
      ? undefined
      : {
          randomVector,
          hide: (type, vector, value) => hideAvp({ secret, type, randomVector: vector }, value),
          which: (name) => HIDDEN.has(name as ValueName),
        };
  return { innerPorts, octets: emitControlMessage(header, message, hiding), bindsCall };
}
