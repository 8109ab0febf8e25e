import { type ControlPacket, type CpOption, codes, optionLength, optionsOctets } from '@culvert/wire/ppp';
import type { AutomatonEvent } from './events.ts';

export type Verdict = 'ack' | 'reject' | { readonly nak: Uint8Array };

/** One row per option that we talk about; a type without a row is rejected. */
export type OptionRules<P> = Readonly<Record<number, (data: Uint8Array, policy: P) => Verdict>>;

export interface Judging<P> {
  readonly rules: OptionRules<P>;
  readonly policy: P;
  /** Options that the peer should have sent, appended to a Configure-Nak (RFC 1661 §5.3). */
  readonly missing: readonly CpOption[];
  /** Types on which we insist: never rejected, so beyond Max-Failure the layer does not converge. */
  readonly insisted: readonly number[];
  /** Configure-Naks sent so far without a Configure-Ack, and how many there may be. */
  readonly failures: number;
  readonly maxFailure: number;
  /** Largest option list that a packet to this peer can carry, in octets. */
  readonly room: number;
}

export type Judged = Extract<AutomatonEvent, { type: 'RCR+' | 'RCR-' }> | { readonly type: 'not-converging' };

/** Turns a Configure-Request into the automaton's RCR+ or RCR-, reply in hand. */
export function judge<P>(identifier: number, options: readonly CpOption[], judging: Judging<P>): Judged {
  const rejected: CpOption[] = [];
  const naked: CpOption[] = [];
  const refusable: CpOption[] = [];
  for (const option of options) {
    const verdict = judging.rules[option.type]?.(option.data, judging.policy) ?? 'reject';
    if (verdict === 'ack') continue;
    if (verdict === 'reject') rejected.push(option);
    else {
      refusable.push(option);
      // A type listed twice is answered once, so a reply cannot outgrow the request.
      if (!naked.some((nak) => nak.type === option.type))
        naked.push({ type: option.type, data: verdict.nak });
    }
  }
  // §5.4: rejection is settled before values are argued about.
  if (rejected.length > 0) return answered(codes.configureReject, identifier, rejected, judging.room);
  const wanted = [
    ...naked,
    ...judging.missing.filter((option) => !options.some((had) => had.type === option.type)),
  ];
  if (wanted.length === 0) return acknowledged(identifier, options);
  if (judging.failures < judging.maxFailure)
    return answered(codes.configureNak, identifier, wanted, judging.room);
  // §4.6: from here on Naks become Rejects, and nothing is appended.
  if (wanted.some((option) => judging.insisted.includes(option.type))) return { type: 'not-converging' };
  if (refusable.length === 0) return acknowledged(identifier, options);
  return answered(codes.configureReject, identifier, refusable, judging.room);
}

function acknowledged(identifier: number, options: readonly CpOption[]): Judged {
  // Copies: what is kept must not hold on to the datagram it came in.
  const kept = options.map(({ type, data }) => ({ type, data: data.slice() }));
  return { type: 'RCR+', reply: packet(codes.configureAck, identifier, options), options: kept };
}

/** Options that find no room wait for the peer's next request. */
function answered(code: number, identifier: number, options: readonly CpOption[], room: number): Judged {
  const fitting: CpOption[] = [];
  let octets = 0;
  for (const option of options) {
    octets += optionLength(option);
    if (octets > room && fitting.length > 0) break;
    fitting.push(option);
  }
  return { type: 'RCR-', reply: packet(code, identifier, fitting) };
}

function packet(code: number, identifier: number, options: readonly CpOption[]): ControlPacket {
  return { code, identifier, data: optionsOctets(options) };
}
