import type { Bus } from '@culvert/bus';
import { type ActivityAnswer, type ActivityQuestion, type L2tpRequest, subjects } from '@culvert/contracts';
import { ask, NotTaken, type Performing } from '@culvert/host';
import { ACTIVITY_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './limits.ts';
import type { IkeVault } from './vault.ts';

/** Whether l2tp knows the session. */
export async function askL2tp(
  bus: Bus,
  request: L2tpRequest,
  context: Performing<IkeVault>,
): Promise<boolean> {
  const subject = subjects.l2tp.request(context.shard);
  const taken = await ask(bus, subject, request, context, REQUEST_TIMEOUT_MS);
  if (!taken.taken && taken.reason !== 'no-session') throw new NotTaken(`l2tp: ${taken.reason}`);
  return taken.taken;
}

/** Undefined when the edge does not know, or could not be asked. */
export async function askActivity(
  bus: Bus,
  { session, shard, trace }: Performing<IkeVault>,
): Promise<number | undefined> {
  const question: ActivityQuestion = { session };
  const options = { trace, timeoutMs: ACTIVITY_TIMEOUT_MS };
  try {
    return (await bus.request<ActivityAnswer>(subjects.edge.activity(shard), question, options)).idleMs;
  } catch (error) {
    if (error instanceof Error && error.name === 'BusUnavailable') return undefined;
    throw error;
  }
}
