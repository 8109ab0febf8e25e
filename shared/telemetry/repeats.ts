/**
 * A bucket of tokens per line of the program: what a peer can cause again and again must not fill the
 * disk or hide other lines. The next line that passes says how many did not.
 */
export interface Repeats {
  /** Undefined: do not print. Otherwise how many were held back since the last one that was. */
  pass(line: string): number | undefined;
}

const BURST = 20;
const PER_SECOND = 2;
const LINES_MAX = 1024;

interface Bucket {
  tokens: number;
  at: number;
  heldBack: number;
}

export function repeats(elapsedMs: () => number): Repeats {
  const buckets = new Map<string, Bucket>();
  return {
    pass(line) {
      const now = elapsedMs();
      const bucket = buckets.get(line) ?? { tokens: BURST, at: now, heldBack: 0 };
      bucket.tokens = Math.min(BURST, bucket.tokens + ((now - bucket.at) / 1000) * PER_SECOND);
      bucket.at = now;
      if (!buckets.has(line)) {
        const oldest = buckets.keys().next().value;
        if (buckets.size >= LINES_MAX && oldest !== undefined) buckets.delete(oldest);
        buckets.set(line, bucket);
      }
      if (bucket.tokens < 1) {
        bucket.heldBack += 1;
        return undefined;
      }
      bucket.tokens -= 1;
      const { heldBack } = bucket;
      bucket.heldBack = 0;
      return heldBack;
    },
  };
}
