import type { Note } from '../effects.ts';
import type { LinkContext } from './context.ts';
import type { LinkEvent } from './events.ts';

/** Why a link ended; the same words as the contracts between services use. */
export type EndReason =
  | 'peer-closed'
  | 'operator'
  | 'authentication-failed'
  | 'negotiation-failed'
  | 'no-address'
  | 'peer-silent'
  | 'lifetime'
  | 'session-ended'
  | 'protocol-error'
  | 'limit'
  | 'shutdown';

export interface Ending {
  readonly reason: EndReason;
  /** For the operator; the peer sees it in the Terminate-Request, so it says nothing about users. */
  readonly message: string;
  /** What only the operator may read. */
  readonly detail?: string;
  /** aaa has written the operator's line. */
  readonly explained?: true;
}

const ORDERLY: readonly EndReason[] = ['peer-closed', 'operator', 'lifetime', 'session-ended', 'shutdown'];

const REFUSALS: Readonly<Record<string, string>> = {
  'unknown-user': 'there is no such user',
  'wrong-password': 'wrong password',
  'method-not-allowed': 'the user cannot be verified with this method',
  disabled: 'the user is disabled',
  'locked-out': 'the user is locked out after too many failures',
  unavailable: 'the authentication service is not available',
  reflected: 'the client sent our own challenge back',
};

/** Why another service ends the link. */
const CLOSINGS: Readonly<Partial<Record<EndReason, string>>> = {
  'peer-closed': 'the client closed its tunnel',
  operator: 'closed by the operator',
  'peer-silent': 'the client has fallen silent',
  lifetime: 'the session time is over',
  'session-ended': 'the IPsec session has ended',
  'protocol-error': 'a protocol error below PPP',
  limit: 'no resources',
  shutdown: 'the gateway stops',
};

const LEASES: Readonly<Record<string, string>> = {
  exhausted: 'the address pool is exhausted',
  unavailable: 'the address service is not available',
};

/** The reason that an event gives for the end of the link. */
export function endingOf(event: LinkEvent, context: LinkContext): Ending {
  switch (event.type) {
    case 'Failed':
      return { reason: event.reason, message: event.message };
    case 'Offered':
      return {
        reason: 'authentication-failed',
        message: 'no configured authentication method can be verified',
      };
    case 'Refused':
      return {
        reason: 'authentication-failed',
        message: 'authentication failed',
        detail: REFUSALS[event.reason] ?? event.reason,
        ...(event.reason === 'reflected' ? {} : { explained: true }),
      };
    case 'Unleased': {
      const detail = LEASES[event.reason] ?? event.reason;
      return { reason: 'no-address', message: 'no address available', detail, explained: true };
    }
    case 'Accepted':
      return { reason: 'authentication-failed', message: 'another user than before' };
    case 'Leased':
      return { reason: 'no-address', message: 'no address available', detail: 'the lease holds no address' };
    case 'Rejected':
      return { reason: 'authentication-failed', message: 'the client rejects the authentication protocol' };
    case 'CloseLink':
    case 'StopLink':
      return { reason: event.reason, message: CLOSINGS[event.reason] ?? event.reason };
    case 'LifetimeExpired':
      return { reason: 'lifetime', message: 'the session time is over' };
    case 'LayerUp':
      return { reason: 'limit', message: 'the client began again too often without getting through' };
    case 'LayerDown':
      return event.cause === 'RTR'
        ? { reason: 'peer-closed', message: 'the client closed the link' }
        : { reason: 'protocol-error', message: `${event.layer.toUpperCase()} went down by ${event.cause}` };
    case 'LayerFinished':
      return finished(event.silent, event.layer, context);
    case 'PhaseExpired':
      return expired(context);
    default:
      return { reason: 'protocol-error', message: `unexpected ${event.type}` };
  }
}

function expired(context: LinkContext): Ending {
  if (context.methods.length === 0) {
    return { reason: 'negotiation-failed', message: 'the authentication service did not answer in time' };
  }
  return { reason: 'negotiation-failed', message: 'the link did not get through its phase in time' };
}

function finished(silent: boolean, layer: string, context: LinkContext): Ending {
  if (layer !== 'lcp') return { reason: 'negotiation-failed', message: 'no network protocol is left' };
  if (silent) return { reason: 'peer-silent', message: 'the client does not answer LCP' };
  return {
    reason: context.user === undefined ? 'negotiation-failed' : 'peer-closed',
    message: 'the client rejects LCP',
  };
}

export function noteOf(
  ending: Ending,
  context: LinkContext,
): { readonly level: 'debug' | 'info' | 'warn'; readonly call: number; readonly note: Note } {
  const { reason, message, detail, explained } = ending;
  const user = context.user ?? '';
  return {
    level: explained ? 'debug' : ORDERLY.includes(reason) ? 'info' : 'warn',
    call: context.call,
    note: {
      message: detail === undefined ? `link ended: ${message}` : `link ended: ${message}: ${detail}`,
      fields: { reason, user, callingStation: context.callingStation },
    },
  };
}
