import type { Bus } from '@culvert/bus';
import type { Requested, Taken } from '@culvert/contracts';
import type { Performing, Vault } from './protocol.ts';

/** The other service cannot take it now: the host repeats the effect. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken';
}

/** One service asks another something about the session; the effect's id makes a repetition harmless. */
export function ask<R>(
  bus: Bus,
  subject: string,
  request: R,
  context: Performing<Vault>,
  timeoutMs: number,
): Promise<Taken> {
  const { id, session, trace } = context;
  const requested: Requested<R> = { id, session, request };
  return bus.request<Taken>(subject, requested, { trace, timeoutMs });
}
