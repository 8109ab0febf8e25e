import { type Census, census } from '../lab/census.ts';
import type { Dialler } from '../lab/client.ts';
import { MARGIN_SECONDS } from '../lab/client.ts';
import { until } from '../lab/command.ts';
import { type EchoReport, startEcho } from '../lab/echo.ts';
import type { Lab } from '../lab/lab.ts';
import { libreswan } from '../lab/libreswan.ts';
import { strongswan } from '../lab/strongswan.ts';
import { route } from '../lab/traffic.ts';

export interface Order {
  /** Of Quick Mode, all clients together. */
  readonly rekeys: number;
  readonly clients: number;
  /** Told now and then how far it is. */
  readonly say?: (line: string) => void;
}

export interface Outcome {
  readonly seconds: number;
  readonly quickModes: number;
  readonly mainModes: number;
  readonly connections: readonly EchoReport[];
  /** TCP connections that ended before they were told to. */
  readonly lost: number;
  readonly stalls: number;
  readonly longestGapMs: number;
  /** Before the first client, once all SAs that may be there are, at the end, and after the last client. */
  readonly before: Census;
  readonly warm: Census;
  readonly end: Census;
  readonly after: Census;
}

const REKEY_SECONDS = 2;
const MAIN_MODE_SECONDS = 30;
/** As many as fill a session's room for SAs several times. */
const WARM_REKEYS = 30;
const MEGABITS = 10;
const PORT = 7001;
const POLL_MS = 2_000;
const CLIENTS = [strongswan, libreswan, strongswan] as const;

/** Clients that hold a TCP connection under load while their SAs are renewed without a pause. */
export async function soak(lab: Lab, { rekeys, clients, say = () => undefined }: Order): Promise<Outcome> {
  const take = (): Promise<Census> => census(lab.network, lab.directory, lab.gateway);
  const echo = await startEcho(lab.network, lab.directory, { port: PORT, megabits: MEGABITS });
  const before = await take();
  const began = Date.now();
  const diallers = await Promise.all(
    CLIENTS.slice(0, clients).map((client, i) =>
      lab.dialler(i + 1, 'lan', client, {
        espLifetime: MARGIN_SECONDS + REKEY_SECONDS,
        ikeLifetime: MARGIN_SECONDS + MAIN_MODE_SECONDS,
      }),
    ),
  );
  for (const dialler of diallers) await dialler.connect();
  await Promise.all(diallers.map(({ guest }) => route(guest)));
  const endings = await Promise.all(diallers.map(({ guest }) => echo.keep(guest)));
  const first = await count(diallers);

  const reached = (goal: number): Promise<unknown> =>
    until(
      `${goal} rekeys`,
      goal * REKEY_SECONDS * 2_000 + 120_000,
      async () => {
        const { ipsec, isakmp } = await count(diallers);
        const reports = echo.read();
        say(
          `${ipsec - first.ipsec} rekeys, ${isakmp - first.isakmp} Main Modes, ${reports.length} connections, ${total(reports, 'stalls')} stalls`,
        );
        return ipsec - first.ipsec >= goal ? true : undefined;
      },
      POLL_MS,
    );
  await reached(Math.min(WARM_REKEYS * clients, Math.ceil(rekeys / 2)));
  const warm = await take();
  await reached(rekeys);
  const end = await take();
  const last = await count(diallers);
  // What was lost was lost before it is ended here.
  const connections = echo.read();
  for (const finish of endings) await finish();
  for (const dialler of diallers) await dialler.disconnect();
  await until('the sessions to end', 60_000, async () => ((await lab.sessions()) === 0 ? true : undefined));
  return {
    seconds: (Date.now() - began) / 1000,
    quickModes: last.ipsec - first.ipsec,
    mainModes: last.isakmp - first.isakmp,
    connections,
    lost: connections.filter(({ ended }) => ended !== undefined).length,
    stalls: total(connections, 'stalls'),
    longestGapMs: Math.max(...connections.map(({ longestGapMs }) => longestGapMs)),
    before,
    warm,
    end,
    after: await take(),
  };
}

async function count(diallers: readonly Dialler[]): Promise<{ isakmp: number; ipsec: number }> {
  const all = await Promise.all(diallers.map((dialler) => dialler.established()));
  return {
    isakmp: all.reduce((sum, { isakmp }) => sum + isakmp, 0),
    ipsec: all.reduce((sum, { ipsec }) => sum + ipsec, 0),
  };
}

function total(reports: readonly EchoReport[], of: 'stalls' | 'octets'): number {
  return reports.reduce((sum, report) => sum + report[of], 0);
}
