import type { Clock } from '@culvert/host';
import type { IvSource } from '../esp/index.ts';
import { createEngine, type OuterFlow, type OuterPacket } from '../pipeline/index.ts';
import { carryOut, reportingSink } from './carry-out.ts';
import { type DataPlane, NO_IO, NO_LOAD, type PlaneReport, type PlaneSetup } from './plane.ts';

/** Wires of a plane that has no sockets of its own. */
export interface EngineWires {
  /** A UDP datagram, from the flow's local address and port. */
  datagram(flow: OuterFlow, octets: Uint8Array): void;
  /** A bare ESP packet; ports mean nothing. */
  esp(flow: OuterFlow, octets: Uint8Array): void;
  /** A packet towards the corporate network. */
  inner(packet: Uint8Array): void;
}

/** A data plane of one engine on the caller's clock and wires: the simulator's. */
export interface EnginePlane extends DataPlane {
  outer(packet: OuterPacket): void;
  /** A packet from the corporate network. */
  inner(packet: Uint8Array): void;
}

const TICK_MS = 250;
const REPORT_MS = 1_000;

export function createEnginePlane(
  setup: PlaneSetup,
  options: { readonly clock: Clock; readonly ivs: IvSource; readonly wires: EngineWires },
): EnginePlane {
  const { clock, wires } = options;
  let listener: ((reports: readonly PlaneReport[]) => void) | undefined;
  let stopped = false;
  let reportedAt = 0;
  const report = (one: PlaneReport) => listener?.([one]);
  const engine = createEngine({
    ivs: options.ivs,
    policy: setup.policy,
    replayWindow: setup.replayWindow,
    sink: {
      ...reportingSink(report),
      outer: (flow, encapsulation, octets) =>
        encapsulation === 'udp' ? wires.datagram(flow, octets) : wires.esp(flow, octets),
      inner: (packet) => wires.inner(packet),
    },
  });
  const tick = () => {
    if (stopped) return;
    const at = clock.now();
    engine.tick(at);
    if (at - reportedAt >= REPORT_MS) {
      reportedAt = at;
      report({ type: 'sessions', reports: engine.takeReports(at) });
      report({ type: 'counters', engine: 0, counters: engine.counters(), io: NO_IO, load: NO_LOAD });
    }
    clock.after(TICK_MS, tick);
  };
  return {
    async start(to) {
      listener = to;
      tick();
    },
    post: (command) => carryOut(engine, command, wires.datagram, report, clock.now()),
    async stop() {
      stopped = true;
    },
    outer(packet) {
      if (!stopped) engine.outer(packet, clock.now());
    },
    inner(packet) {
      if (!stopped && !engine.inner(packet, clock.now())) engine.unrouted();
    },
  };
}
