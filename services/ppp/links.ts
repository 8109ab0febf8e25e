import { actorId, type LinkContext } from '@culvert/actors-ppp';
import type { SessionState } from '@culvert/kernel';

/** The links of a session, oldest call first. */
export function linksOf(
  state: SessionState,
): readonly { readonly value: unknown; readonly context: LinkContext }[] {
  return Object.entries(state)
    .filter(([id]) => id.startsWith('link/'))
    .map(([, { value, context }]) => ({ value, context: context as LinkContext }));
}

/** Whether a frame of this call would find LCP there to read it. */
export function listens(state: SessionState, call: number): boolean {
  return state[actorId('lcp', call)] !== undefined;
}
