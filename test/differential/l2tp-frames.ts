/** What stands in a transport-mode SA: UDP, L2TP and PPP around a packet, true and otherwise. */
import type { CallEntry } from '@culvert/contracts';
import type { Dice } from './dice.ts';

/** A call with the number of the client's next data message. */
export interface ClientCall {
  entry: CallEntry;
  ns: number;
}

/** Every form that RFC 1661 §6.5 and §6.6 leave a sender. */
export function pppFrame(dice: Dice, protocol: number, information: Uint8Array): Uint8Array {
  const header: number[] = dice.happens(0.6) ? [0xff, 3] : [];
  if (protocol > 0xff || dice.happens(0.6)) header.push(protocol >>> 8);
  header.push(protocol & 0xff);
  const frame = new Uint8Array(header.length + information.length);
  frame.set(header);
  frame.set(information, header.length);
  return dice.happens(0.02) ? frame.slice(0, dice.below(5)) : frame;
}

const LENGTH = 0x4000;
const SEQUENCE = 0x0800;
const OFFSET = 0x0200;

/** A data message of the call: any flags, sometimes old or lying. */
export function dataMessage(dice: Dice, call: ClientCall, frame: Uint8Array): Uint8Array {
  const { ours, sequencing } = call.entry;
  let flags = 2 | (dice.happens(0.6) ? LENGTH : 0) | (dice.happens(0.05) ? 0x0100 : 0);
  if (dice.happens(sequencing ? 0.95 : 0.03)) flags |= SEQUENCE;
  if (dice.happens(0.06)) flags |= OFFSET;
  const padding = (flags & OFFSET) !== 0 ? dice.below(12) : 0;
  const header: number[] = [flags >>> 8, flags & 0xff];
  const lengthAt = header.length;
  if ((flags & LENGTH) !== 0) header.push(0, 0);
  header.push(ours.tunnel >>> 8, ours.tunnel & 0xff, ours.call >>> 8, ours.call & 0xff);
  if ((flags & SEQUENCE) !== 0) {
    const ns = nextNs(dice, call);
    header.push(ns >>> 8, ns & 0xff, dice.below(256), dice.below(256));
  }
  if ((flags & OFFSET) !== 0) header.push(0, padding, ...dice.filler(padding));
  const message = new Uint8Array(header.length + frame.length);
  message.set(header);
  message.set(frame, header.length);
  if ((flags & LENGTH) !== 0) {
    message[lengthAt] = message.length >>> 8;
    message[lengthAt + 1] = message.length;
  }
  return dice.happens(0.05) ? lyingMessage(dice, message, lengthAt, padding) : message;
}

function nextNs(dice: Dice, call: ClientCall): number {
  const kind = dice.next();
  if (kind < 0.04) return (call.ns + 0xffff - dice.below(40)) & 0xffff;
  if (kind < 0.06) return (call.ns + dice.pick([0x7fff, 0x8000, 0x8001])) & 0xffff;
  if (kind < 0.1) call.ns = (call.ns + dice.below(30)) & 0xffff;
  const ns = call.ns;
  call.ns = (call.ns + 1) & 0xffff;
  return ns;
}

function lyingMessage(dice: Dice, message: Uint8Array, lengthAt: number, padding: number): Uint8Array {
  const kind = dice.below(5);
  if (kind === 0) return message.slice(0, dice.below(20));
  if (kind === 1) message[1] = dice.below(256);
  else if (kind === 2) message[0] = dice.below(256) & 0x7f;
  else if (kind === 3) {
    const length = dice.pick([0, 6, 8, 12, message.length - 1, message.length + 1, 0xffff]);
    message[lengthAt] = length >>> 8;
    message[lengthAt + 1] = length;
  } else if (padding > 0) message.fill(dice.below(256), 8, 16);
  else message[dice.between(2, 7)] = dice.below(256);
  return message;
}

export function controlMessage(dice: Dice): Uint8Array {
  const message = dice.filler(dice.between(2, 60));
  message[0] = dice.pick([0xc8, 0xc8, 0x80, 0xc9, 0xca]);
  message[1] = dice.happens(0.9) ? 2 : dice.below(256);
  return message;
}

const SOURCE_PORTS = [1701, 1701, 1701, 1701, 49_152, 1702] as const;

/** RFC 768; the checksum is any, for behind NAT no right one is known (RFC 3948 §3.1.2). */
export function udpDatagram(dice: Dice, payload: Uint8Array, sourcePort: number | undefined): Uint8Array {
  const datagram = new Uint8Array(8 + payload.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, sourcePort ?? dice.pick(SOURCE_PORTS));
  view.setUint16(2, dice.happens(0.98) ? 1701 : dice.pick([1702, 0, 4500]));
  view.setUint16(4, datagram.length);
  view.setUint16(6, dice.below(65_536));
  datagram.set(payload, 8);
  if (dice.happens(0.015)) {
    view.setUint16(4, dice.pick([0, 7, 8, 9, datagram.length - 1, datagram.length + 1, 65_535]));
  }
  return dice.happens(0.01) ? datagram.slice(0, dice.below(10)) : datagram;
}
