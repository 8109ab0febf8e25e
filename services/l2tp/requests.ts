import type { Bus } from '@culvert/bus';
import {
  type ActivityAnswer,
  type ActivityQuestion,
  type IkeRequest,
  type PppRequest,
  subjects,
} from '@culvert/contracts';
import { ask, NotTaken, type Performing, type Vault } from '@culvert/host';
import { ACTIVITY_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './limits.ts';

export async function askIke(bus: Bus, request: IkeRequest, context: Performing<Vault>): Promise<void> {
  const taken = await ask(bus, subjects.ike.request(context.shard), request, context, REQUEST_TIMEOUT_MS);
  // Without a session there is nobody left to be told.
  if (!taken.taken && taken.reason !== 'no-session') throw new NotTaken(`ike: ${taken.reason}`);
}

/** Whether ppp took it. */
export async function askPpp(bus: Bus, request: PppRequest, context: Performing<Vault>): Promise<boolean> {
  const taken = await ask(bus, subjects.ppp.request(context.shard), request, context, REQUEST_TIMEOUT_MS);
  if (!taken.taken && taken.reason === 'draining') throw new NotTaken('ppp: draining');
  return taken.taken;
}

/** Undefined when the edge could not be asked. */
export async function askActivity(bus: Bus, context: Performing<Vault>): Promise<ActivityAnswer | undefined> {
  const question: ActivityQuestion = { session: context.session };
  const options = { trace: context.trace, timeoutMs: ACTIVITY_TIMEOUT_MS };
  try {
    return await bus.request<ActivityAnswer>(subjects.edge.activity(context.shard), question, options);
  } catch (error) {
    if (error instanceof Error && error.name === 'BusUnavailable') return undefined;
    throw error;
  }
}
