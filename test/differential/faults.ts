/**
 * The reference with one small thing wrong each. A comparison that does not find every one of them soon is
 * not looking.
 */

import { clampMss } from '@culvert/wire/ip';
import {
  createEngine,
  type Engine,
  type EngineSink,
  type OuterFlow,
} from '../../services/edge/pipeline/index.ts';
import type { EngineMaker } from './compare.ts';

const wrapped =
  (change: (engine: Engine) => Partial<Engine>): EngineMaker =>
  (options) => {
    const engine = createEngine(options);
    return { ...engine, ...change(engine) };
  };

const withSink =
  (change: (sink: EngineSink) => Partial<EngineSink>): EngineMaker =>
  (options) =>
    createEngine({ ...options, sink: { ...options.sink, ...change(options.sink) } });

export const FAULTS: Readonly<Record<string, EngineMaker>> = {
  'the replay window is one block wider': (options) =>
    createEngine({ ...options, replayWindow: Math.min(65_536, (options.replayWindow ?? 1024) + 32) }),

  'what it knew before the start is forgotten': ({ past: _, ...options }) => createEngine(options),

  'an MSS is clamped one too low': withSink((sink) => ({
    inner(packet) {
      const limit = mssOf(packet);
      if (limit !== undefined && limit > 500) clampMss(packet.subarray(20), limit - 1);
      sink.inner(packet);
    },
  })),

  'congestion outside is overlooked': wrapped((engine) => ({
    outer(packet, at) {
      const { tos = 0 } = packet;
      engine.outer({ ...packet, tos: (tos & 3) === 3 ? tos & 0xfc : tos }, at);
    },
  })),

  'ECT(0) and ECT(1) outside are confused': wrapped((engine) => ({
    outer(packet, at) {
      const { tos = 0 } = packet;
      const confused = tos & 1 && tos & 2 ? tos : (tos & 0xfc) | ((tos & 1) << 1) | ((tos >>> 1) & 1);
      engine.outer({ ...packet, tos: confused }, at);
    },
  })),

  'the outer type of service is always zero': withSink((sink) => ({
    outer: (flow, encapsulation, octets) => sink.outer(flow, encapsulation, octets, 0),
  })),

  'too old is counted as replayed': wrapped((engine) => ({
    counters() {
      const counters = engine.counters();
      const { 'esp-too-old': old, 'esp-replayed': replayed } = counters.drops;
      const drops = { ...counters.drops, 'esp-too-old': 0, 'esp-replayed': replayed + old };
      return { ...counters, drops };
    },
  })),

  'a moved client is not followed': (options) => {
    const first = new Map<string, OuterFlow>();
    const engine = createEngine(options);
    return {
      ...engine,
      outer(packet, at) {
        const spi = Buffer.from(packet.octets.subarray(0, 4)).toString('hex');
        const flow = first.get(spi) ?? packet.flow;
        first.set(spi, flow);
        engine.outer(packet.via === 'ike' || spi === '00000000' ? packet : { ...packet, flow }, at);
      },
    };
  },

  'a reservation is used one number too far': wrapped((engine) => ({
    grant: ({ inboundSpi, first, end }, at) => engine.grant({ inboundSpi, first, end: end + 1 }, at),
  })),

  'a new policy is not taken': wrapped(() => ({ setPolicy: () => undefined })),

  'a record that is gone is not let go': wrapped((engine) => ({
    declare(declaration, at) {
      if (declaration.entries.length > 0) engine.declare(declaration, at);
    },
  })),

  'waiting packets are kept for ever': wrapped(() => ({ tick: () => undefined })),

  'time has no milliseconds': wrapped((engine) => ({
    outer: (packet, at) => engine.outer(packet, Math.floor(at / 1000) * 1000),
  })),

  'octets out are those of the frame': wrapped((engine) => ({
    report(session, at) {
      const report = engine.report(session, at);
      return report && { ...report, octetsOut: report.octetsOut + 2 * report.packetsOut };
    },
  })),

  'the last of several fragments is left out': wrapped((engine) => ({
    inner: (packet, at) => engine.inner(packet.length > 1900 ? packet.subarray(0, 1800) : packet, at),
  })),

  'the marker of IKE is forgotten': withSink((sink) => ({
    ike: (packet) => sink.ike({ ...packet, nonEspMarker: false }),
  })),

  'the second entry of a record is overlooked': wrapped((engine) => ({
    declare: (declaration, at) =>
      engine.declare({ ...declaration, entries: declaration.entries.toSpliced(1, 1) }, at),
  })),
};

/** The MSS of a forwarded SYN whose option comes first. */
function mssOf(packet: Uint8Array): number | undefined {
  const plain = packet[0] === 0x45 && packet[9] === 6 && packet[40] === 2 && packet[41] === 4;
  return plain ? ((packet[42] ?? 0) << 8) | (packet[43] ?? 0) : undefined;
}
