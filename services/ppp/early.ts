import type { PppPacket } from '@culvert/contracts';
import type { Clock } from '@culvert/host';
import { codes, parseControlPacket, parseFrame, protocols } from '@culvert/wire/ppp';
import { EARLY_FRAMES_MAX, EARLY_MS } from './limits.ts';

/**
 * A client sends its first Configure-Request right behind the ICCN, often before l2tp's `link.start` is
 * here. Lost, it would cost the client a Restart timer of three seconds; so the last one of each call is
 * held until its link listens.
 */
export interface EarlyFrames {
  /** False when the frame is none that is held. */
  hold(packet: PppPacket): boolean;
  take(session: string, call: number): PppPacket | undefined;
  /** Something newer of the same call has come through. */
  forget(packet: Pick<PppPacket, 'session' | 'call'>): void;
}

export function earlyFrames(clock: Clock): EarlyFrames {
  const held = new Map<string, { readonly packet: PppPacket; readonly at: number }>();
  const keyOf = (session: string, call: number) => `${session}/${call}`;
  return {
    hold(packet) {
      if (!isConfigureRequest(packet.octets)) return false;
      const key = keyOf(packet.session, packet.call);
      held.delete(key);
      held.set(key, { packet, at: clock.now() });
      // In the order of coming: the oldest gives way.
      const [oldest] = held.keys();
      if (held.size > EARLY_FRAMES_MAX && oldest !== undefined) held.delete(oldest);
      return true;
    },
    take(session, call) {
      const key = keyOf(session, call);
      const early = held.get(key);
      held.delete(key);
      return early !== undefined && clock.now() - early.at <= EARLY_MS ? early.packet : undefined;
    },
    forget({ session, call }) {
      held.delete(keyOf(session, call));
    },
  };
}

function isConfigureRequest(octets: Uint8Array): boolean {
  const frame = parseFrame(octets);
  if (!frame.ok || frame.value.protocol !== protocols.lcp) return false;
  const packet = parseControlPacket(frame.value.information);
  return packet.ok && packet.value.code === codes.configureRequest;
}
