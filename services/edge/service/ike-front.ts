import { type IkePacket, shardOfHex, subjects } from '@culvert/contracts';
import { shardOfCookie } from '@culvert/crypto';
import type { Runtime } from '@culvert/runtime';
import { toHex } from '@culvert/wire';
import type { Directory } from './directory.ts';

/** Traces of handshakes whose session has no entries yet, by initiator cookie and source. */
const TRACES_MAX = 4_096;

/**
 * Sends IKE on: by the shard in the responder cookie, or, while that is zero, by a keyed hash of the
 * initiator's, so that a repeated first message finds the same place. One trace from the first message on.
 */
export function createIkeFront(
  runtime: Runtime,
  directory: Directory,
): (packet: Omit<IkePacket, 'node'>) => void {
  const key = runtime.entropy.seed();
  const traces = new Map<string, string>();
  return (packet) => {
    const initiator = packet.octets.subarray(0, 8);
    const responder = toHex(packet.octets.subarray(8, 16));
    const first = responder === '0000000000000000';
    const shard = first ? shardOfCookie(key, initiator) : shardOfHex(responder);
    const handshake = `${toHex(initiator)}|${packet.flow.remote.address}`;
    let trace = directory.trace(responder) ?? traces.get(handshake);
    if (trace === undefined && first) {
      trace = runtime.telemetry.newTrace();
      if (traces.size >= TRACES_MAX) {
        const [oldest] = traces.keys();
        if (oldest !== undefined) traces.delete(oldest);
      }
      traces.set(handshake, trace);
    }
    const message: IkePacket = { ...packet, node: runtime.node };
    runtime.bus.publish(subjects.ike.packet(shard), message, { trace });
  };
}
