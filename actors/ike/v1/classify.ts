import type { Delivery, SessionState } from '@culvert/kernel';
import { isakmpSaId, quickModeId, SESSION } from './actor-ids.ts';
import type { IkeBody } from './body.ts';
import { classifyInformational } from './informational/classify.ts';
import type { InformationalHappening } from './informational/events.ts';
import { classifyFirst, classifyIdentity, classifyKe } from './isakmp-sa/classify.ts';
import type { IsakmpSaContext } from './isakmp-sa/context.ts';
import type { IsakmpSaHappening } from './isakmp-sa/events.ts';
import type { IkePolicy } from './policy.ts';
import { classifyQuickMode } from './quick-mode/classify.ts';
import type { QuickModeContext } from './quick-mode/context.ts';
import type { QuickModeHappening } from './quick-mode/events.ts';
import type { SessionHappening } from './session/events.ts';
import { tell } from './tell.ts';

type Message = Extract<IkeBody, { isakmpSa: string; path: unknown }>;
type Answer = readonly Delivery[] | { readonly drop: string };

/** What happened, and the session as it is: the RFC events for its machines. */
export function classify(body: IkeBody, state: SessionState, policy: IkePolicy): Answer {
  switch (body.type) {
    case 'dh': {
      const { outcome } = body;
      const event = outcome.ok
        ? ({ type: 'DH+', publicValue: outcome.publicValue } as const)
        : ({ type: 'DH-', reason: outcome.reason } as const);
      if (orphaned(body.actor, state)) return [tell<QuickModeHappening>(body.actor, { type: 'DROP' })];
      return [tell<IsakmpSaHappening | QuickModeHappening>(body.actor, event)];
    }
    case 'admitted': {
      const founded: Delivery[] =
        state[SESSION] === undefined ? [{ type: 'beget', id: SESSION, input: {} }] : [];
      return [...founded, tell<IsakmpSaHappening>(isakmpSaId(body.isakmpSa), { type: 'ADMITTED' })];
    }
    case 'activity':
      return [tell<InformationalHappening>(body.actor, { type: 'ACTIVITY', idleMs: body.idleMs })];
    case 'told':
      return [tell<SessionHappening>(SESSION, { type: 'TOLD', known: body.known })];
    case 'tunnel.opened':
      return [tell<SessionHappening>(SESSION, { type: 'TUNNEL-OPENED' })];
    case 'tunnel.closed':
      return [tell<SessionHappening>(SESSION, { type: 'TUNNEL-CLOSED', reason: body.reason })];
    case 'close':
      return closing(state, { type: 'CLOSE', reason: body.reason });
    case 'superseded':
      return closing(state, { type: 'SUPERSEDED' });
    case 'probe':
      return actorsOf(state, 'informational/').map((id) =>
        tell<InformationalHappening>(id, { type: 'PROBE' }),
      );
    default:
      return classifyMessage(body, state, policy);
  }
}

/** A Quick Mode whose ISAKMP SA went away while its Diffie-Hellman ran cannot be answered any more. */
function orphaned(actor: string, state: SessionState): boolean {
  if (!actor.startsWith('quick-mode/')) return false;
  const context = state[actor]?.context as QuickModeContext | undefined;
  return context !== undefined && state[isakmpSaId(context.isakmpSa)] === undefined;
}

/** A session that is still half open has only its ISAKMP SA. */
function closing(state: SessionState, event: SessionHappening): Answer {
  if (state[SESSION] !== undefined) return [tell(SESSION, event)];
  return actorsOf(state, 'isakmp-sa/').map((id) => tell<IsakmpSaHappening>(id, { type: 'DROP' }));
}

function classifyMessage(body: Message, state: SessionState, policy: IkePolicy): Answer {
  const id = isakmpSaId(body.isakmpSa);
  const sa = state[id];
  if (body.type === 'MM1' || body.type === 'AM1') {
    return sa === undefined ? classifyFirst(body, policy) : { drop: 'unexpected-message' };
  }
  if (sa === undefined) return { drop: 'unknown-isakmp-sa' };
  const context = sa.context as IsakmpSaContext;
  switch (body.type) {
    case 'MM3':
      return sa.matches({ halfOpen: 'mm2Sent' }) ? classifyKe(body, context) : { drop: 'unexpected-message' };
    case 'MM5':
      return sa.matches({ halfOpen: 'mm4Sent' }) ? classifyIdentity(body) : { drop: 'unexpected-message' };
    case 'MM5 unverified': {
      const { path, candidates } = body;
      return [tell<IsakmpSaHappening>(id, { type: 'AUTH-', path, candidates })];
    }
    case 'duplicate':
      return duplicate(body, state);
    default:
      break;
  }
  // CVE-2014-2338 and its kin: nothing of phase 2 before the peer is authenticated.
  if (!sa.matches('established')) return { drop: 'not-established' };
  if (body.type === 'INFO') return classifyInformational(body, state);
  const quickMode = quickModeId(body.isakmpSa, body.messageId);
  if (body.type === 'QM3') {
    if (state[quickMode] === undefined) return { drop: 'unexpected-message' };
    const contact = body.contactDue ? [tell<IsakmpSaHappening>(id, { type: 'INITIAL-CONTACT' })] : [];
    return [tell<QuickModeHappening>(quickMode, { type: 'QM3' }), ...contact];
  }
  if (state[quickMode] !== undefined) return { drop: 'duplicate-in-progress' };
  if (body.type !== 'QM1') return { drop: 'unexpected-message' };
  const making = makingRoom(state, policy);
  if ('drop' in making) return making;
  const answer = classifyQuickMode(body, context, policy);
  return begets(answer) ? [...making, ...answer] : answer;
}

/**
 * Deletes travel unacknowledged, and clients rekey by volume every few seconds: SAs that the peer has long
 * forgotten may fill the session. The oldest gives way; SAs that nobody has confirmed yet do not.
 */
function makingRoom(state: SessionState, policy: IkePolicy): Answer {
  const all = actorsOf(state, 'quick-mode/');
  if (all.length < policy.sasPerSessionMax) return [];
  const [oldest] = all
    .flatMap((id) => {
      const snapshot = state[id];
      if (snapshot?.matches({ up: 'established' }) !== true) return [];
      return [{ id, createdAt: (snapshot.context as QuickModeContext).createdAt }];
    })
    .toSorted((a, b) => a.createdAt - b.createdAt);
  return oldest === undefined
    ? { drop: 'ipsec-sa-limit' }
    : [tell<QuickModeHappening>(oldest.id, { type: 'CROWDED' })];
}

function begets(answer: Answer): answer is readonly Delivery[] {
  return !('drop' in answer) && answer.some(({ type }) => type === 'beget');
}

/** The answer goes out once more, from the machine whose answer it is. */
function duplicate(body: Message, state: SessionState): Answer {
  const { path, messageId } = body;
  const quickMode = quickModeId(body.isakmpSa, messageId);
  if (messageId !== 0 && state[quickMode] !== undefined)
    return [tell<QuickModeHappening>(quickMode, { type: 'DUPLICATE', path })];
  return [tell<IsakmpSaHappening>(isakmpSaId(body.isakmpSa), { type: 'DUPLICATE', messageId, path })];
}

function actorsOf(state: SessionState, kind: string): readonly string[] {
  return Object.keys(state).filter((id) => id.startsWith(kind));
}
