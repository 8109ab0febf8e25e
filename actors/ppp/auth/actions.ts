import { type ActorId, exposed, type Happening, type Stamped } from '@culvert/kernel';
import {
  type ControlPacket,
  chapCodes,
  controlPacketOctets,
  emitChapValue,
  emitMsChapFailure,
  emitMsChapSuccess,
  emitPapMessage,
  MS_CHAP_CHALLENGE_OCTETS,
  msChapErrors,
  papCodes,
  protocols,
} from '@culvert/wire/ppp';
import { setup } from 'xstate';
import type { Emitted } from '../effects.ts';
import type { AuthEvent, ChapShown, UserPolicy, Verdict } from './events.ts';
import { CHALLENGE_MS, CHALLENGE_MS_MAX, CHALLENGE_OCTETS, VERDICT_MS } from './limits.ts';
import type { AuthMethod, Proof } from './proof.ts';

export const CHALLENGE = 'challenge';
export const VERDICT = 'verdict';

/** Purposes of the exposed octets of one event. */
const CHALLENGE_VALUE = 1;
const FAILURE_CHALLENGE = 2;

export interface AuthContext {
  readonly owner: ActorId;
  readonly call: number;
  readonly callingStation: string;
  readonly method: AuthMethod;
  readonly name: string;
  /** Of our last Challenge, or of the peer's last Authenticate-Request. */
  readonly identifier: number;
  readonly challenge: Uint8Array;
  readonly challenges: number;
  /** How often Success was sent unasked. */
  readonly verdicts: number;
  /** Names the one question that this machine asks aaa: unlike those of the link's earlier ones. */
  readonly attempt: number;
  readonly user: string;
  readonly policy: UserPolicy;
  /** Code and data of Ack, Nak, Success or Failure, kept for a peer that repeats itself. */
  readonly reply?: { readonly code: number; readonly data: Uint8Array };
}

export type AuthInput = Pick<
  AuthContext,
  'owner' | 'call' | 'callingStation' | 'method' | 'name' | 'attempt'
>;

export const authentication = setup({
  types: {
    context: {} as AuthContext,
    events: {} as AuthEvent,
    input: {} as AuthInput & Partial<Stamped>,
    emitted: {} as Emitted,
  },
});

const NONE = new Uint8Array(0);
const text = (message: string) => new TextEncoder().encode(message);

function frame(context: AuthContext, packet: ControlPacket): Emitted {
  const protocol = context.method === 'pap' ? protocols.pap : protocols.chap;
  return { type: 'frame.send', call: context.call, protocol, information: controlPacketOctets(packet) };
}

function tell<E extends Happening>(context: AuthContext, event: E): Emitted {
  return { type: 'tell', to: context.owner, event };
}

/** RFC 1994 §4.1: Identifier and Value are new each time a Challenge is sent, also for a repetition. */
const sendChallenge = authentication.enqueueActions(({ context, event, enqueue }) => {
  if (context.method === 'pap' || event.entropy === undefined) return;
  const identifier = (context.identifier + 1) & 0xff;
  const value = exposed(event.entropy, CHALLENGE_VALUE, CHALLENGE_OCTETS);
  const delay = Math.min(CHALLENGE_MS * (context.challenges + 1), CHALLENGE_MS_MAX);
  enqueue.assign({ identifier, challenge: value, challenges: context.challenges + 1 });
  const data = emitChapValue({ value, name: text(context.name) });
  enqueue.emit(frame(context, { code: chapCodes.challenge, identifier, data }));
  enqueue.cancel(CHALLENGE);
  enqueue.raise({ type: 'ChallengeExpired' }, { id: CHALLENGE, delay });
});

const verify = authentication.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'Requested' && event.type !== 'Responded') return;
  const proof: Proof =
    event.type === 'Requested'
      ? { method: 'pap', sealedPassword: event.sealedPassword }
      : proofOf(event.shown, event.identifier, context.challenge);
  enqueue.assign({ user: event.user, identifier: event.identifier });
  const { attempt, call, callingStation } = context;
  enqueue.emit({ type: 'aaa.authenticate', call, attempt, callingStation, user: event.user, proof });
});

function proofOf(shown: ChapShown, identifier: number, challenge: Uint8Array): Proof {
  if (shown.method === 'chap-md5') {
    return { method: 'chap-md5', identifier, challenge, response: shown.response };
  }
  const { peerChallenge, ntResponse } = shown;
  return { method: 'ms-chap-v2', authenticatorChallenge: challenge, peerChallenge, ntResponse };
}

function successOf(method: AuthMethod, verdict: Extract<Verdict, { accepted: true }>): AuthContext['reply'] {
  if (method === 'pap') return { code: papCodes.authenticateAck, data: emitPapMessage(text('Welcome')) };
  if (method === 'chap-md5') return { code: chapCodes.success, data: text('Welcome') };
  const authenticatorResponse = verdict.authenticatorResponse ?? '';
  return { code: chapCodes.success, data: emitMsChapSuccess({ authenticatorResponse, message: 'Welcome' }) };
}

/** Every refusal looks the same to the peer: why is the operator's to know. */
function failureOf(method: AuthMethod, challenge: Uint8Array): AuthContext['reply'] {
  const message = 'Authentication failed';
  if (method === 'pap') return { code: papCodes.authenticateNak, data: emitPapMessage(text(message)) };
  if (method === 'chap-md5') return { code: chapCodes.failure, data: text(message) };
  const error = msChapErrors.authenticationFailure;
  const data = emitMsChapFailure({ error, retry: false, challenge, version: 3, message });
  return { code: chapCodes.failure, data };
}

export const actions = {
  sendChallenge,
  verify,
  /** PAP takes a new Identifier for each repetition; the reply goes to the last one (RFC 1334 §2.2). */
  noteIdentifier: authentication.assign(({ event }) =>
    event.type === 'Requested' ? { identifier: event.identifier } : {},
  ),
  accept: authentication.enqueueActions(({ context, event, enqueue }) => {
    if (event.type !== 'Verified' || !event.verdict.accepted) return;
    const { user, policy } = event.verdict;
    const reply = successOf(context.method, event.verdict);
    enqueue.assign({ user, policy, ...(reply && { reply }) });
    enqueue.emit(tell(context, { type: 'Accepted', user, policy }));
  }),
  refuse: authentication.enqueueActions(({ context, event, enqueue }) => {
    const challenge =
      event.entropy === undefined
        ? new Uint8Array(MS_CHAP_CHALLENGE_OCTETS)
        : exposed(event.entropy, FAILURE_CHALLENGE, MS_CHAP_CHALLENGE_OCTETS);
    const reply = failureOf(context.method, challenge);
    const user = event.type === 'Responded' ? event.user : context.user;
    const identifier = event.type === 'Responded' ? event.identifier : context.identifier;
    const refusal = event.type === 'Verified' && !event.verdict.accepted ? event.verdict.reason : 'reflected';
    enqueue.assign({ user, identifier, ...(reply && { reply }) });
    enqueue.emit(frame(context, { code: reply?.code ?? 0, identifier, data: reply?.data ?? NONE }));
    enqueue.emit(tell(context, { type: 'Refused', reason: refusal, user }));
  }),
  sendReply: authentication.emit(({ context }) => {
    const { code, data } = context.reply ?? { code: 0, data: NONE };
    return frame(context, { code, identifier: context.identifier, data });
  }),
  /** The timer behind a Success; PAP's peers repeat their request by themselves. */
  awaitHearing: authentication.enqueueActions(({ context, enqueue }) => {
    if (context.method === 'pap') return;
    enqueue.assign({ verdicts: context.verdicts + 1 });
    enqueue.cancel(VERDICT);
    enqueue.raise({ type: 'VerdictUnheard' }, { id: VERDICT, delay: VERDICT_MS });
  }),
  giveUp: authentication.emit(({ context }) =>
    tell(context, {
      type: 'Failed',
      reason: 'peer-silent',
      message: 'the client answered no CHAP Challenge',
    }),
  ),
};
