import { concat } from '@culvert/wire';
import { plainOctets } from './dial-in.ts';

/** A minimal ICMP Echo-Request or Echo-Reply packet with right checksums, for a ping through the tunnel. */
export function icmpEcho(from: string, to: string, type: 0 | 8, sequence: number): Uint8Array {
  const body = Uint8Array.of(
    type,
    0,
    0,
    0,
    0x12,
    0x34,
    sequence >>> 8,
    sequence & 0xff,
    ...new Array<number>(32).fill(0x61),
  );
  setChecksum(body, 2, body);
  return ipv4Packet(from, to, 1, body);
}

export function udpPacket(
  from: string,
  to: string,
  sourcePort: number,
  port: number,
  length: number,
): Uint8Array {
  const header = [sourcePort, port, 8 + length, 0].flatMap((value) => [value >>> 8, value & 0xff]);
  return ipv4Packet(from, to, 17, concat(Uint8Array.from(header), new Uint8Array(length).fill(0x62)));
}

function ipv4Packet(from: string, to: string, protocol: number, body: Uint8Array): Uint8Array {
  const length = 20 + body.length;
  const header = Uint8Array.of(0x45, 0, length >>> 8, length & 0xff, 0, 1, 0x40, 0, 64, protocol, 0, 0);
  const whole = concat(header, plainOctets(from), plainOctets(to));
  setChecksum(whole, 10, whole);
  return concat(whole, body);
}

/** RFC 1071. */
function setChecksum(into: Uint8Array, at: number, over: Uint8Array): void {
  let sum = 0;
  for (let index = 0; index < over.length; index += 2)
    sum += ((over[index] ?? 0) << 8) | (over[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  into[at] = (~sum >>> 8) & 0xff;
  into[at + 1] = ~sum & 0xff;
}
