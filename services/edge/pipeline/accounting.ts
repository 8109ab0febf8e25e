import * as limits from './limits.ts';
import type { SessionRow } from './rows.ts';

/** What a user packet is counted as. */
export interface Counted {
  readonly direction: 'from-peer' | 'to-peer';
  readonly family: 4 | 6;
  readonly class: number;
}

const CELLS = 2 * 2 * limits.CLASSES * 2;

export function newAccounting(): number[] {
  return new Array<number>(CELLS).fill(0);
}

/** Where a report has the packets of this kind; the octets stand behind them. */
export function accountIndex({ direction, family, class: number }: Counted): number {
  const row = (direction === 'from-peer' ? 0 : 2) + (family === 4 ? 0 : 1);
  return (row * limits.CLASSES + number) * 2;
}

/** Octets are those of the inner packet. */
export function account(session: SessionRow, counted: Counted, octets: number): void {
  const at = accountIndex(counted);
  session.accounting[at] = (session.accounting[at] ?? 0) + 1;
  session.accounting[at + 1] = (session.accounting[at + 1] ?? 0) + octets;
  session.touched = true;
  if (counted.direction === 'from-peer') {
    session.packetsIn += 1;
    session.octetsIn += octets;
  } else {
    session.packetsOut += 1;
    session.octetsOut += octets;
  }
}
