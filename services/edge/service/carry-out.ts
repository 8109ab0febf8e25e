import type { Instant } from '@culvert/kernel';
import { type Engine, type EngineSink, type OuterFlow, outerFlow } from '../pipeline/index.ts';
import { datagramOf, type PlaneCommand, type PlaneReport } from './plane.ts';

/** Sends a datagram as it is. */
export type Transmit = (flow: OuterFlow, octets: Uint8Array) => void;

/**
 * One command on one engine. What came over the bus may be wrong in any way; that must not stop the packets
 * of all other sessions.
 */
export function carryOut(
  engine: Engine,
  command: PlaneCommand,
  transmit: Transmit,
  report: (report: PlaneReport) => void,
  at: Instant,
): void {
  try {
    switch (command.type) {
      case 'declare':
        engine.declare(command.declaration, at);
        break;
      case 'grant':
        engine.grant(command, at);
        break;
      case 'ike':
        transmit(outerFlow(command.flow), datagramOf(command));
        break;
      case 'l2tp':
        engine.l2tp(command.datagram, at);
        break;
      case 'ppp':
        engine.ppp(command.frame, at);
        break;
      case 'policy':
        engine.setPolicy(command.policy);
        break;
    }
  } catch (error) {
    report({ type: 'refused', command: command.type, why: String(error) });
  }
}

/** The sink's half that goes to the services. */
export function reportingSink(
  report: (report: PlaneReport) => void,
): Pick<EngineSink, 'ike' | 'l2tp' | 'ppp' | 'event'> {
  return {
    ike: (packet) => report({ type: 'ike', packet }),
    l2tp: (packet, trace) => report({ type: 'l2tp', packet, trace }),
    ppp: (packet, trace) => report({ type: 'ppp', packet, trace }),
    event: (event) => report({ type: 'event', event }),
  };
}
