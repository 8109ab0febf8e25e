import { type EntropySeed, exposed } from '@culvert/kernel';
import { be16, be32, u32 } from '@culvert/wire';
import {
  authenticationProtocolOption,
  type CpOption,
  codes,
  lcpOptions,
  MRU_DEFAULT,
  magicNumberOption,
  mruOption,
  optionOf,
  optionsOctets,
  parseMagicNumber,
  parseMru,
  sameOption,
} from '@culvert/wire/ppp';
import type { AuthMethod } from '../auth/proof.ts';
import type { AutomatonContext } from '../automaton/actions.ts';
import { type Negotiation, type Revised, timesRefused } from '../automaton/classify.ts';
import { type Judged, judge, type OptionRules } from '../automaton/judge.ts';
import type { Failed } from '../link/events.ts';
import type { PppSettings } from '../link/settings.ts';
import { methodOf, protocolOf } from './authentication.ts';
import { LCP_HEADER_OCTETS, LOOPS_MAX, MRU_MIN, REFUSALS_MAX } from './limits.ts';

/** Purposes of the exposed octets of one event. */
const MAGIC = 1;
const SUGGESTION = 2;

interface LcpPolicy {
  readonly pfcAcfc: boolean;
  /** What we suggest to one whose MRU is too small to be of use. */
  readonly mruOffer: number;
  readonly magicSuggestion: number;
}

/**
 * RFC 1661 §6, one row per option Culvert will talk about. Rejected for want of a row: the peer's wish to
 * have us authenticate (3), Quality-Protocol (4), Callback (13), MRRU (17), Endpoint-Discriminator (19),
 * Link-Discriminator (23) and whatever else there is.
 */
const RULES: OptionRules<LcpPolicy> = {
  // A larger MRU than we ever use is no reason to argue.
  [lcpOptions.mru]: (data, policy) => {
    const mru = parseMru(data);
    if (!mru.ok) return 'reject';
    return mru.value >= MRU_MIN ? 'ack' : { nak: be16(policy.mruOffer) };
  },
  // L2TP carries frames, not characters: any map will do (RFC 2661 §1).
  [lcpOptions.accm]: (data) => (data.length === 4 ? 'ack' : 'reject'),
  // §6.4: zero is illegal and always Nak'd. Our own number is dealt with before the rules.
  [lcpOptions.magicNumber]: (data, policy) => {
    const magic = parseMagicNumber(data);
    if (!magic.ok) return 'reject';
    return magic.value !== 0 ? 'ack' : { nak: be32(policy.magicSuggestion) };
  },
  [lcpOptions.pfc]: (data, policy) => (data.length === 0 && policy.pfcAcfc ? 'ack' : 'reject'),
  [lcpOptions.acfc]: (data, policy) => (data.length === 0 && policy.pfcAcfc ? 'ack' : 'reject'),
};

/** What our first Configure-Request asks. */
export function lcpRequest(
  settings: PppSettings,
  method: AuthMethod,
  entropy: EntropySeed,
): readonly CpOption[] {
  return [
    mruOption(settings.mru),
    authenticationProtocolOption(protocolOf(method)),
    magicNumberOption(freshMagic(entropy, MAGIC)),
  ];
}

export function lcpNegotiation(
  context: AutomatonContext,
  settings: PppSettings,
  methods: readonly AuthMethod[],
  entropy: EntropySeed,
): Negotiation {
  const peerMru = mruOf(context.theirs);
  return {
    peerMru,
    disagreement: 'LCP did not converge',
    judge: (identifier, options) => {
      const looped = ownMagic(identifier, options, context, entropy);
      if (looped !== undefined) return looped;
      return judge(identifier, options, {
        rules: RULES,
        policy: {
          pfcAcfc: settings.pfcAcfc,
          mruOffer: settings.mru,
          magicSuggestion: freshMagic(entropy, SUGGESTION),
        },
        missing: [],
        insisted: [],
        failures: context.failures,
        maxFailure: context.limits.maxFailure,
        // RFC 1661 §5: Configure packets are sent as if nothing had been negotiated.
        room: MRU_DEFAULT - LCP_HEADER_OCTETS,
      });
    },
    revise: (code, options) => revise(code, options, context, methods, entropy),
  };
}

/** §6.4: our own number coming back means a looped link, or somebody reflecting us: suggest another. */
function ownMagic(
  identifier: number,
  options: readonly CpOption[],
  context: AutomatonContext,
  entropy: EntropySeed,
): Judged | undefined {
  const theirs = optionOf(options, lcpOptions.magicNumber);
  const ours = optionOf(context.request, lcpOptions.magicNumber);
  if (theirs === undefined || ours === undefined || !sameOption(theirs, ours)) return undefined;
  const data = optionsOctets([magicNumberOption(freshMagic(entropy, SUGGESTION))]);
  return { type: 'RCR-', reply: { code: codes.configureNak, identifier, data } };
}

function revise(
  code: 'nak' | 'reject',
  options: readonly CpOption[],
  context: AutomatonContext,
  methods: readonly AuthMethod[],
  entropy: EntropySeed,
): Revised {
  const request: CpOption[] = [];
  for (const asked of context.request) {
    const answer = optionOf(options, asked.type);
    const next = answer === undefined ? asked : reconsider(code, asked, answer, context, methods, entropy);
    if (next !== undefined && next.type === 'Failed') return next;
    if (next !== undefined) request.push(next);
  }
  return { request };
}

/** What we ask in the place of an option that was turned down; undefined asks nothing. */
function reconsider(
  code: 'nak' | 'reject',
  asked: CpOption,
  answer: CpOption,
  context: AutomatonContext,
  methods: readonly AuthMethod[],
  entropy: EntropySeed,
): CpOption | Failed | undefined {
  if (asked.type === lcpOptions.authenticationProtocol) {
    return nextMethod(code, asked, answer, context, methods);
  }
  if (asked.type === lcpOptions.magicNumber) {
    if (code === 'reject') return undefined;
    if (timesRefused(context, lcpOptions.magicNumber) >= LOOPS_MAX) {
      return { type: 'Failed', reason: 'protocol-error', message: 'the link is looped back (Magic-Number)' };
    }
    return magicNumberOption(freshMagic(entropy, MAGIC));
  }
  if (code === 'reject' || timesRefused(context, asked.type) >= REFUSALS_MAX) return undefined;
  // §6.1: a smaller MRU is the peer's right to suggest; a larger one is not more than we can take.
  const wish = parseMru(answer.data);
  const ours = parseMru(asked.data);
  return wish.ok && ours.ok && wish.value >= MRU_MIN && wish.value < ours.value
    ? mruOption(wish.value)
    : asked;
}

/**
 * §6.2: the peer's Nak names what it would rather do. If we allow that, so be it; if not (pppd wishes for
 * EAP first, Windows may wish for MS-CHAPv1), the next of our own list is tried, each method once.
 */
function nextMethod(
  code: 'nak' | 'reject',
  asked: CpOption,
  answer: CpOption,
  context: AutomatonContext,
  methods: readonly AuthMethod[],
): CpOption | Failed {
  const failed = (message: string): Failed => ({ type: 'Failed', reason: 'authentication-failed', message });
  if (code === 'reject') return failed('the client refuses to authenticate itself');
  const tried = [...context.refused, asked];
  const untried = methods
    .map((method) => ({ method, option: authenticationProtocolOption(protocolOf(method)) }))
    .filter(({ option }) => !tried.some((old) => sameOption(old, option)));
  const wish = methodOf(answer.data);
  const next = untried.find(({ method }) => method === wish) ?? untried[0];
  return next?.option ?? failed(`the client accepts none of ${methods.join(', ')}`);
}

function freshMagic(entropy: EntropySeed, purpose: number): number {
  return u32(exposed(entropy, purpose, 4)) || 1;
}

/** The MRU that a list of acknowledged options stands for. */
export function mruOf(options: readonly CpOption[]): number {
  const mru = parseMru(optionOf(options, lcpOptions.mru)?.data ?? new Uint8Array(0));
  return mru.ok ? mru.value : MRU_DEFAULT;
}

/** Zero where none was agreed (§6.4). */
export function magicOf(options: readonly CpOption[]): number {
  const magic = parseMagicNumber(optionOf(options, lcpOptions.magicNumber)?.data ?? new Uint8Array(0));
  return magic.ok ? magic.value : 0;
}
