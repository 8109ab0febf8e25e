import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@culvert/bus';
import { type IkeRequest, type Requested, shardOfHex, subjects, type Taken } from '@culvert/contracts';
import { CommandFailed } from '../failure.ts';
import { hasGone, sessionOf } from '../gather.ts';
import { type Place, withGateway } from '../link.ts';
import { answer, type Terminal } from '../terminal.ts';

const ASK_MS = 5_000;
/** LCP Terminate, StopCCN and the deletes take a few round trips. */
const GONE_WITHIN_MS = 15_000;
const POLL_MS = 200;

/** ike ends the whole session in order: PPP, L2TP, IPsec SAs, ISAKMP SA. */
export async function disconnect(place: Place, given: string, terminal: Terminal): Promise<void> {
  await withGateway(place, async (bus) => {
    const { session } = await sessionOf(bus, given);
    const asked: Requested<IkeRequest> = {
      id: `${session}/operator/${randomUUID()}`,
      session,
      request: { type: 'close', reason: 'operator' },
    };
    const subject = subjects.ike.request(shardOfHex(session));
    const taken = await bus.request<Taken>(subject, asked, { timeoutMs: ASK_MS }).catch(() => undefined);
    if (taken === undefined) throw refused(session, 'is not answered for by ike', 'see culvert status');
    if (!taken.taken) {
      throw refused(session, `is not ended: ${taken.reason}`, 'see culvert sessions, and try again');
    }
    const ended = await gone(bus, session);
    answer(terminal, { session, ended }, () =>
      ended
        ? `${session} has ended`
        : `${session} is ending; its client has not answered yet (culvert session shows how far it is)`,
    );
    if (!ended) terminal.fail();
  });
}

async function gone(bus: Bus, session: string): Promise<boolean> {
  const deadline = Date.now() + GONE_WITHIN_MS;
  while (Date.now() < deadline) {
    if (await hasGone(bus, session)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

function refused(session: string, problem: string, remedy: string): CommandFailed {
  return new CommandFailed({ field: 'session', value: session, problem, remedy });
}
