import type { Refusal } from './proposal/refusal.ts';

/** One line for the operator. `what` is a closed set: it is also a metric label. */
export interface Report {
  readonly type: 'report';
  readonly what:
    | 'negotiation refused'
    | 'PSK mismatch likely'
    | 'key exchange refused'
    | 'half-open expired'
    | 'isakmp sa established'
    | 'isakmp sa deleted'
    | 'isakmp sa expired'
    | 'peer silent'
    | 'ipsec sa established'
    | 'ipsec sa deleted'
    | 'ipsec sa expired'
    | 'session ended';
  readonly fields: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export function refusalReport(refusal: Refusal, peer: string): Report {
  const { nearest, ...rest } = refusal;
  return {
    type: 'report',
    what: 'negotiation refused',
    fields: { peer, ...rest, ...(nearest === undefined ? {} : { nearest }) },
  };
}
