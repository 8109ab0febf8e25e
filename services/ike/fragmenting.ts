import { digest } from '@culvert/crypto';
import { invariant } from '@culvert/kernel';
import { u16 } from '@culvert/wire';
import { emitClearMessage, ISAKMP_LIMITS, PAYLOAD, parseIsakmpHeader } from '@culvert/wire/ike';

/** Header, generic header and fragment header around each part ([MS-IKEE] §2.2.3.2). */
const OVERHEAD_OCTETS = 28 + 4 + 4;

/**
 * A message as datagrams of at most `octetsMax`. The fragment ID follows from the message, so that a
 * repeated answer consists of the very same datagrams.
 */
export function datagramsOf(message: Uint8Array, octetsMax: number): readonly Uint8Array[] {
  if (message.length <= octetsMax) return [message];
  const header = parseIsakmpHeader(message);
  invariant(header.ok && header.value.nextPayload !== PAYLOAD.FRAGMENT, 'only whole messages are fragmented');
  const size = octetsMax - OVERHEAD_OCTETS;
  const count = Math.ceil(message.length / size);
  invariant(count <= ISAKMP_LIMITS.fragmentsMax, 'our messages are small');
  const id = u16(digest('sha2-256', message)) || 1;
  return Array.from({ length: count }, (_, index) => {
    const data = message.subarray(index * size, (index + 1) * size);
    return emitClearMessage(header.value, [
      { kind: 'FRAGMENT', id, number: index + 1, last: index === count - 1, data },
    ]);
  });
}
