/** Why a negotiation was refused, for the one line the operator reads. Built from registry names, never from raw text. */
export interface Refusal {
  readonly phase: 'phase 1' | 'phase 2';
  readonly reason: string;
  readonly offered: readonly string[];
  readonly allowed: string;
  /** The offer with the fewest differences, and what would have to change. */
  readonly nearest?: string | undefined;
  readonly looksLike: string;
}

/** A peer may offer 256 transforms; the line shows the first of them. */
const OFFERS_SHOWN = 16;

export function shown(offers: readonly string[]): readonly string[] {
  const distinct = [...new Set(offers)];
  if (distinct.length <= OFFERS_SHOWN) return distinct;
  return [...distinct.slice(0, OFFERS_SHOWN), `and ${distinct.length - OFFERS_SHOWN} more`];
}

/** One difference of an offer from the policy: what it is, and how near it is (a legacy switch is nearest). */
export interface Difference {
  readonly text: string;
  readonly cost: number;
}

export function nearestOf(
  candidates: readonly { readonly text: string; readonly differences: readonly Difference[] }[],
): string | undefined {
  let best: { text: string; cost: number; why: string } | undefined;
  for (const { text, differences } of candidates) {
    const cost = differences.reduce((sum, difference) => sum + difference.cost, 0);
    const why = differences.map((difference) => difference.text).join(', ');
    if (best === undefined || cost < best.cost) best = { text, cost, why };
  }
  return best === undefined ? undefined : `${best.text} (${best.why})`;
}
