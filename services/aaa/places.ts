/** A bounded number of works at once, with a bounded queue before them. */
export interface Places {
  /** Undefined: all places and the queue are full, nothing was done. */
  run<T>(work: () => Promise<T>): Promise<T | undefined>;
}

export function places(max: number, waitingMax: number): Places {
  let busy = 0;
  const waiting: (() => void)[] = [];
  const free = () => {
    const next = waiting.shift();
    if (next === undefined) busy -= 1;
    else next();
  };
  return {
    async run(work) {
      if (busy >= max) {
        if (waiting.length >= waitingMax) return undefined;
        // Whoever is let in takes over the place of the one that left.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else busy += 1;
      try {
        return await work();
      } finally {
        free();
      }
    },
  };
}
