import type { Subscription } from '@culvert/bus';
import {
  type ActivityAnswer,
  type ActivityQuestion,
  type After,
  type IkeDatagram,
  type L2tpDatagram,
  type PppFrame,
  subjects,
} from '@culvert/contracts';
import type { Runtime } from '@culvert/runtime';
import type { Directory } from './directory.ts';
import type { PlaneCommand } from './plane.ts';

type Pass = (command: PlaneCommand, after: After | undefined) => void;

/** Packets of the services, on their way out, and their question whether a session still lives. */
export function listenToServices(runtime: Runtime, directory: Directory, pass: Pass): Subscription[] {
  const { bus, clock, telemetry } = runtime;
  const whole = (octets: unknown, command: string): boolean => {
    if (octets instanceof Uint8Array) return true;
    telemetry.count('edge.refused_commands', { command });
    return false;
  };
  return [
    bus.subscribe<IkeDatagram>(subjects.edge.ike(runtime.node), ({ payload }) => {
      const { flow, nonEspMarker, octets, after } = payload;
      if (!whole(octets, 'ike')) return;
      // The record's key ends in the session: same thread, same order as its entries.
      const session = after?.key.split('.')[1];
      pass({ type: 'ike', flow, nonEspMarker, octets, ...(session !== undefined && { session }) }, after);
    }),
    bus.subscribe<L2tpDatagram>(subjects.edge.l2tp('*'), ({ payload }) => {
      const { session, innerPorts, octets, after } = payload;
      if (whole(octets, 'l2tp')) pass({ type: 'l2tp', datagram: { session, innerPorts, octets } }, after);
    }),
    bus.subscribe<PppFrame>(subjects.edge.ppp('*'), ({ payload }) => {
      const { session, call, octets, after } = payload;
      if (whole(octets, 'ppp')) pass({ type: 'ppp', frame: { session, call, octets } }, after);
    }),
    bus.respond<ActivityQuestion>(subjects.edge.activity('*'), ({ payload }): ActivityAnswer => {
      const last = directory.activeAt(payload.session);
      return last === undefined ? {} : { idleMs: Math.max(0, clock.now() - last) };
    }),
  ];
}
