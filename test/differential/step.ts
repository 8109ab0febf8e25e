/** One call of an engine with everything it is given, so that a history can be replayed with steps left out. */
import type {
  Declaration,
  Engine,
  EnginePolicy,
  OuterPacket,
  SessionReport,
} from '../../services/edge/pipeline/index.ts';

export type Step =
  | { readonly kind: 'declare'; readonly declaration: Declaration; readonly at: number }
  | { readonly kind: 'grant'; readonly grant: Parameters<Engine['grant']>[0]; readonly at: number }
  | { readonly kind: 'outer'; readonly label: string; readonly packet: OuterPacket; readonly at: number }
  | { readonly kind: 'inner'; readonly label: string; readonly packet: Uint8Array; readonly at: number }
  | { readonly kind: 'l2tp'; readonly datagram: Parameters<Engine['l2tp']>[0]; readonly at: number }
  | { readonly kind: 'ppp'; readonly frame: Parameters<Engine['ppp']>[0]; readonly at: number }
  | { readonly kind: 'policy'; readonly policy: EnginePolicy; readonly at: number }
  | { readonly kind: 'tick'; readonly at: number }
  | { readonly kind: 'reports'; readonly at: number }
  | { readonly kind: 'report'; readonly session: string; readonly at: number }
  | { readonly kind: 'unrouted'; readonly at: number };

/** An engine that takes several packets at once beside the calls of `Engine`. */
export interface BatchEngine extends Engine {
  outerBatch?(packets: readonly OuterPacket[], at: number): void;
}

/** Each engine gets octets of its own, for an engine may write where it reads. What it answers is compared. */
export function applied(engine: BatchEngine, step: Step): unknown {
  switch (step.kind) {
    case 'declare':
      return engine.declare(step.declaration, step.at);
    case 'grant':
      return engine.grant(step.grant, step.at);
    case 'outer':
      return engine.outer(ownPacket(step.packet), step.at);
    case 'inner':
      return engine.inner(step.packet.slice(), step.at);
    case 'l2tp':
      return engine.l2tp({ ...step.datagram, octets: step.datagram.octets.slice() }, step.at);
    case 'ppp':
      return engine.ppp({ ...step.frame, octets: step.frame.octets.slice() }, step.at);
    case 'policy':
      return engine.setPolicy(step.policy);
    case 'tick':
      return engine.tick(step.at);
    case 'reports':
      return ordered(engine.takeReports(step.at));
    case 'report':
      return ordered([engine.report(step.session, step.at)].flatMap((report) => report ?? []))[0];
    case 'unrouted':
      return engine.unrouted();
  }
}

export function ownPacket(packet: OuterPacket): OuterPacket {
  return { ...packet, octets: packet.octets.slice() };
}

/** Neither sessions nor a session's windows have an order that means anything. */
function ordered(reports: readonly SessionReport[]): SessionReport[] {
  return reports
    .map((report) => ({
      ...report,
      windows: report.windows.toSorted((a, b) => a.inboundSpi - b.inboundSpi),
    }))
    .toSorted((a, b) => (a.session < b.session ? -1 : a.session > b.session ? 1 : 0));
}

const HEX_MAX = 400;

/** For the report of a difference: octets as hexadecimal, sets as lists. */
export function shown(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item instanceof Set) return [...item];
    if (item instanceof Map) return [...item];
    if (typeof item === 'bigint') return String(item);
    if (!ArrayBuffer.isView(item)) return item;
    const text = Buffer.from(item.buffer, item.byteOffset, item.byteLength).toString('hex');
    return text.length <= HEX_MAX ? text : `${text.slice(0, HEX_MAX)}… (${item.byteLength} octets)`;
  });
}
