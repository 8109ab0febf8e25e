import { type EspOpened, fits, openEsp, truncated } from '../esp/index.ts';
import type { SaRow } from './rows.ts';
import type { EngineState } from './state.ts';

/**
 * Opens a packet on its SA. Whether a peer truncates HMAC-SHA-256 as RFC 4868 says or as the draft before it
 * did, only its packets tell: the length says which of the two a packet can be, and the first ICV that holds
 * decides for both directions. A packet that nobody authenticated decides nothing.
 */
export function openOn(state: EngineState, sa: SaRow, octets: Uint8Array): EspOpened {
  const short = sa.icvUndecided && !fits(sa.inbound, octets.length) ? truncated(sa.inbound) : undefined;
  const transform = short ?? sa.inbound;
  const opened = openEsp(transform, sa.window, octets);
  const authentic = opened.ok || opened.fault === 'esp-trailer';
  if (!sa.icvUndecided || !authentic) return opened;
  sa.icvUndecided = false;
  if (short !== undefined) truncates(state, sa);
  return opened;
}

function truncates(state: EngineState, sa: SaRow): void {
  const { session, entry } = sa;
  sa.inbound = truncated(sa.inbound) ?? sa.inbound;
  sa.outbound = truncated(sa.outbound) ?? sa.outbound;
  state.icvTruncated += 1;
  state.sink.event({
    type: 'icv-truncated',
    session: session.session,
    trace: session.trace,
    inboundSpi: entry.inboundSpi,
  });
}
