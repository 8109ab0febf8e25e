import type { AuthAnswer, AuthMethod, AuthQuestion, AuthRefusal } from '@culvert/contracts';
import type { Clock, Sealer } from '@culvert/host';
import type { Telemetry } from '@culvert/telemetry';
import ipaddr from 'ipaddr.js';
import { type Account, nobody, withoutDomain } from './account.ts';
import { type Backoff, backoff } from './backoff.ts';
import type { Directory } from './directory.ts';
import {
  LOGINS_WAITING_MAX,
  PASSWORD_CHECKS_MAX,
  PASSWORD_CHECKS_WAITING_MAX,
  SOURCE_BACKOFF,
  USER_BACKOFF,
} from './limits.ts';
import { places } from './places.ts';
import { shownName } from './shown-name.ts';
import { type Verdict, verify } from './verify.ts';

interface AuthenticatorNeeds {
  readonly methods: readonly AuthMethod[];
  readonly directory: Directory;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly telemetry: Telemetry;
}

interface Refused {
  readonly reason: AuthRefusal;
  readonly detail: string;
}

export interface Authenticator {
  authenticate(question: AuthQuestion): Promise<AuthAnswer>;
  /** Names and sources that failures are held against. */
  readonly watched: { readonly users: number; readonly sources: number };
}

/**
 * Judges logins. A wrong password, an unknown user and a method that a user cannot use take the same work
 * and differ only in the operator's log: one line for each refusal.
 */
export function createAuthenticator(needs: AuthenticatorNeeds): Authenticator {
  const users = backoff(USER_BACKOFF);
  const sources = backoff(SOURCE_BACKOFF);
  const checks = places(PASSWORD_CHECKS_MAX, PASSWORD_CHECKS_WAITING_MAX);
  const turns = turnstile(LOGINS_WAITING_MAX);
  const stranger = nobody();

  const begin = (user: string, source: string): Refused | 'wait' | undefined => {
    const now = needs.clock.now();
    const [byUser, bySource] = [users.admits(user, now), sources.admits(source, now)];
    if (byUser === 'locked') return LOCKED_USER;
    if (bySource === 'locked') return LOCKED_SOURCE;
    if (byUser === 'wait' || bySource === 'wait') return 'wait';
    users.begin(user, now);
    sources.begin(source, now);
    return undefined;
  };

  const judge = async (question: AuthQuestion): Promise<{ account: Account; verdict: Verdict } | Refused> => {
    const { proof, user } = question;
    if (!needs.methods.includes(proof.method)) {
      return { reason: 'method-not-allowed', detail: 'the configuration does not allow this method' };
    }
    const known = needs.directory.find(user);
    const account = known ?? stranger;
    const work = () => verify(account, question, needs.sealer);
    const verdict = proof.method === 'pap' ? await checks.run(work) : await work();
    if (verdict === undefined)
      return { reason: 'unavailable', detail: 'too many passwords are being checked' };
    if (known === undefined) return { reason: 'unknown-user', detail: 'no such user' };
    if (!verdict.ok) {
      const unusable = proof.method === 'chap-md5' && known.chapSecret === undefined;
      return { reason: unusable ? 'method-not-allowed' : 'wrong-password', detail: verdict.detail };
    }
    if (known.disabled) return { reason: 'disabled', detail: 'the user is disabled' };
    return { account: known, verdict };
  };

  const answerTo = async (question: AuthQuestion): Promise<AuthAnswer> => {
    const [user, source] = [withoutDomain(question.user), sourceOf(question.callingStation)];
    const hindrance = await turns.enter(() => begin(user, source));
    if (hindrance !== undefined) return refused(needs, question, hindrance);
    const outcome = await judge(question).catch((error: unknown): Refused => {
      needs.telemetry.log.error({ session: question.session, error }, 'a login could not be judged');
      return { reason: 'unavailable', detail: 'see the error before this line' };
    });
    settle(users, user, sources, source, outcome, needs.clock.now());
    turns.next();
    return 'reason' in outcome ? refused(needs, question, outcome) : accepted(needs, question, outcome);
  };
  /** By id: ppp repeats a question that waits long, and that is no further guess and no further work. */
  const underWay = new Map<string, Promise<AuthAnswer>>();

  return {
    authenticate(question) {
      const { id } = question;
      const answer = underWay.get(id) ?? answerTo(question).finally(() => underWay.delete(id));
      underWay.set(id, answer);
      return answer;
    },
    get watched() {
      return { users: users.size, sources: sources.size };
    },
  };
}

/**
 * Good logins of one user or from behind one NAT may come many at once, and each is a guess until it is
 * judged: those that find no room wait until one before them has been.
 */
function turnstile(waitingMax: number) {
  let waiting: (() => void)[] = [];
  return {
    async enter(begin: () => Refused | 'wait' | undefined): Promise<Refused | undefined> {
      for (;;) {
        const hindrance = begin();
        if (hindrance !== 'wait') return hindrance;
        if (waiting.length >= waitingMax) return CROWDED;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    next() {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
  };
}

const CROWDED: Refused = { reason: 'unavailable', detail: 'too many logins wait to be judged' };
const LOCKED_USER: Refused = {
  reason: 'locked-out',
  detail: 'too many failures of this user; wait a minute',
};
const LOCKED_SOURCE: Refused = {
  reason: 'locked-out',
  detail: 'too many failures from this source; wait some minutes',
};

/** Only guesses are held against anybody; our own troubles and disabled users are not. */
function settle(
  users: Backoff,
  user: string,
  sources: Backoff,
  source: string,
  outcome: object | Refused,
  now: number,
): void {
  const guessed =
    'reason' in outcome && (outcome.reason === 'wrong-password' || outcome.reason === 'unknown-user');
  if (guessed) {
    users.failed(user, now);
    sources.failed(source, now);
    return;
  }
  users.succeeded(user, now, !('reason' in outcome));
  // One good account must not wash a source clean that guesses at others.
  sources.succeeded(source, now, false);
}

function refused(needs: AuthenticatorNeeds, question: AuthQuestion, { reason, detail }: Refused): AuthAnswer {
  const { method } = question.proof;
  needs.telemetry.count('aaa_logins', { method, outcome: reason });
  needs.telemetry.log.warn(
    {
      session: question.session,
      user: shownName(question.user),
      method,
      reason,
      detail,
      callingStation: shownName(question.callingStation),
    },
    'login refused',
  );
  return { accepted: false, reason };
}

function accepted(
  needs: AuthenticatorNeeds,
  question: AuthQuestion,
  { account, verdict }: { readonly account: Account; readonly verdict: Verdict },
): AuthAnswer {
  const { method } = question.proof;
  needs.telemetry.count('aaa_logins', { method, outcome: 'accepted' });
  needs.telemetry.log.info(
    {
      session: question.session,
      user: shownName(account.name),
      method,
      callingStation: shownName(question.callingStation),
    },
    'login accepted',
  );
  const response = verdict.ok ? verdict.authenticatorResponse : undefined;
  return {
    accepted: true,
    user: account.name,
    ...(response === undefined ? {} : { authenticatorResponse: response }),
    policy: {
      ...(account.ipv4 === undefined ? {} : { staticIpv4: account.ipv4 }),
      ...(account.sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs: account.sessionTimeoutMs }),
    },
  };
}

/** An IPv4 address, or the /64 of an IPv6 one: whoever has one address of a /64 has all. */
function sourceOf(callingStation: string): string {
  if (!ipaddr.isValid(callingStation)) return callingStation;
  const address = ipaddr.process(callingStation);
  if (address.kind() === 'ipv4') return address.toString();
  return address.toByteArray().slice(0, 8).join('.');
}
