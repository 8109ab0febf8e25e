import { type IkePacket, shardOfHex, subjects } from '@culvert/contracts';
import { shardOfCookie } from '@culvert/crypto';
import type { Runtime } from '@culvert/runtime';
import { toHex } from '@culvert/wire';
import { fullBucket, type Rate, take } from '../pipeline/index.ts';
import type { Directory } from './directory.ts';

/** Traces of handshakes whose session has no entries yet, by initiator cookie and source. */
const TRACES_MAX = 4_096;
/**
 * Messages that are neither first ones nor of a session or handshake seen here: later ISAKMP SAs of a
 * session, what came before this start, and made-up cookies, which shall flood nothing behind us.
 */
const STRANGER_RATE: Rate = { perSecond: 2_000, burst: 4_000 };
const NO_COOKIE = '0000000000000000';

/**
 * Sends IKE on: by the shard in the responder cookie, or, while that is zero, by a keyed hash of the
 * initiator's, so that a repeated first message finds the same place. One trace from the first message on.
 */
export function createIkeFront(
  runtime: Runtime,
  directory: Directory,
): (packet: Omit<IkePacket, 'node'>) => void {
  const { shardKey, telemetry, clock } = runtime;
  const traces = new Map<string, string>();
  const strangers = fullBucket(STRANGER_RATE, clock.now());
  const newTrace = (handshake: string): string => {
    const trace = telemetry.newTrace();
    if (traces.size >= TRACES_MAX) {
      const [oldest] = traces.keys();
      if (oldest !== undefined) traces.delete(oldest);
    }
    traces.set(handshake, trace);
    return trace;
  };
  return (packet) => {
    const initiator = packet.octets.subarray(0, 8);
    const responder = toHex(packet.octets.subarray(8, 16));
    const first = responder === NO_COOKIE;
    const shard = first ? shardOfCookie(shardKey, initiator) : shardOfHex(responder);
    const handshake = `${toHex(initiator)}|${packet.flow.remote.address}`;
    const known = directory.trace(responder) ?? traces.get(handshake);
    const trace = known ?? (first ? newTrace(handshake) : undefined);
    if (trace === undefined && !directory.has(responder) && !take(strangers, STRANGER_RATE, clock.now())) {
      telemetry.count('edge.drops', { reason: 'ike-rate' });
      return;
    }
    const message: IkePacket = { ...packet, node: runtime.node };
    runtime.bus.publish(subjects.ike.packet(shard), message, { trace });
  };
}
