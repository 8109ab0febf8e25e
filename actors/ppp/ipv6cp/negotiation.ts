import { type EntropySeed, exposed } from '@culvert/kernel';
import { equal } from '@culvert/wire';
import {
  type CpOption,
  INTERFACE_IDENTIFIER_OCTETS,
  interfaceIdentifierOption,
  ipv6cpOptions,
  optionOf,
  parseInterfaceIdentifier,
} from '@culvert/wire/ppp';
import type { AutomatonContext } from '../automaton/actions.ts';
import { type Negotiation, type Revised, timesRefused } from '../automaton/classify.ts';
import { judge, type OptionRules } from '../automaton/judge.ts';

const PACKET_HEADER_OCTETS = 4;
const REFUSALS_MAX = 3;

/** Purposes of the exposed octets of one event. */
const OURS = 1;
const SUGGESTION = 2;

interface Ipv6cpPolicy {
  readonly ours: Uint8Array;
  /** For a peer that has none, or ours. */
  readonly suggestion: Uint8Array;
}

/** RFC 5072 §4.1: zero, and a collision with ours, are Nak'd with another suggestion. */
const RULES: OptionRules<Ipv6cpPolicy> = {
  [ipv6cpOptions.interfaceIdentifier]: (data, { ours, suggestion }) => {
    const theirs = parseInterfaceIdentifier(data);
    const usable = theirs.ok && !isZero(theirs.value) && !equal(theirs.value, ours);
    return usable ? 'ack' : { nak: suggestion };
  },
};

export function ipv6cpRequest(entropy: EntropySeed): readonly CpOption[] {
  return [interfaceIdentifierOption(freshIdentifier(entropy, OURS))];
}

export function ipv6cpNegotiation(
  context: AutomatonContext,
  entropy: EntropySeed,
  peerMru: number,
): Negotiation {
  const ours = interfaceIdentifierOf(context.request);
  const suggestion = freshIdentifier(entropy, SUGGESTION);
  return {
    peerMru,
    disagreement: 'the client will not take an IPv6 interface identifier',
    judge: (identifier, options) =>
      judge(identifier, options, {
        rules: RULES,
        policy: { ours, suggestion },
        missing: [interfaceIdentifierOption(suggestion)],
        insisted: [ipv6cpOptions.interfaceIdentifier],
        failures: context.failures,
        maxFailure: context.limits.maxFailure,
        room: peerMru - PACKET_HEADER_OCTETS,
      }),
    revise: (code, options) => revise(code, options, context, entropy),
  };
}

/** RFC 5072 §4.1: the suggested identifier is taken unless it is no better than ours. */
function revise(
  code: 'nak' | 'reject',
  options: readonly CpOption[],
  context: AutomatonContext,
  entropy: EntropySeed,
): Revised {
  const type = ipv6cpOptions.interfaceIdentifier;
  const answer = optionOf(options, type);
  if (answer === undefined) return { request: context.request };
  if (code === 'reject' || timesRefused(context, type) >= REFUSALS_MAX) return { request: [] };
  const wish = parseInterfaceIdentifier(answer.data);
  const taken = [interfaceIdentifierOf(context.request), interfaceIdentifierOf(context.theirs)];
  const usable = wish.ok && !isZero(wish.value) && !taken.some((old) => equal(old, wish.value));
  return {
    request: [interfaceIdentifierOption(usable ? wish.value.slice() : freshIdentifier(entropy, OURS))],
  };
}

/** The identifier in a list of options; zero where there is none. */
export function interfaceIdentifierOf(options: readonly CpOption[]): Uint8Array {
  const data = optionOf(options, ipv6cpOptions.interfaceIdentifier)?.data ?? new Uint8Array(0);
  const identifier = parseInterfaceIdentifier(data);
  return identifier.ok ? identifier.value : new Uint8Array(INTERFACE_IDENTIFIER_OCTETS);
}

/** RFC 5072 §4.1: random, with the universal/local bit zero; never all zero. */
function freshIdentifier(entropy: EntropySeed, purpose: number): Uint8Array {
  const identifier = exposed(entropy, purpose, INTERFACE_IDENTIFIER_OCTETS);
  identifier[0] = (identifier[0] ?? 0) & ~0x02;
  identifier[7] = (identifier[7] ?? 0) || 1;
  return identifier;
}

function isZero(identifier: Uint8Array): boolean {
  return identifier.every((octet) => octet === 0);
}
