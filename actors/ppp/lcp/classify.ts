import type { Delivery } from '@culvert/kernel';
import {
  type ControlPacket,
  codes,
  emitMagicData,
  parseMagicData,
  parseProtocolReject,
  parseTimeRemaining,
  protocols,
} from '@culvert/wire/ppp';
import {
  classifyConfiguration,
  type Negotiating,
  type Negotiation,
  told,
  unknownCode,
} from '../automaton/classify.ts';
import { type Dropped, dropped } from '../dropped.ts';
import { LCP_HEADER_OCTETS } from './limits.ts';
import { magicOf } from './negotiation.ts';

const MAGIC_OCTETS = 4;

/** An LCP packet, RFC 1661 §5 and RFC 1570 §1. */
export function classifyLcp(
  packet: ControlPacket,
  at: Negotiating,
  negotiation: Negotiation,
): readonly Delivery[] | Dropped {
  const configuration = classifyConfiguration(packet, at, negotiation);
  if (configuration !== undefined) return configuration;
  switch (packet.code) {
    case codes.protocolReject:
      return protocolReject(packet, at);
    case codes.echoRequest:
      return echoRequest(packet, at, negotiation.peerMru);
    case codes.echoReply:
    case codes.discardRequest:
      return unlessLooped(packet, at, () => told(at, { type: 'RXR' }));
    case codes.identification:
      return identification(packet, at);
    case codes.timeRemaining:
      return parseTimeRemaining(packet.data).ok ? told(at, { type: 'RXR' }) : dropped('malformed');
    default:
      return unknownCode(packet, at, negotiation.peerMru);
  }
}

/** §5.7: only in the Opened state. */
function protocolReject(packet: ControlPacket, at: Negotiating): readonly Delivery[] | Dropped {
  if (at.state !== 'opened') return dropped('wrong-phase');
  const rejected = parseProtocolReject(packet.data);
  if (!rejected.ok) return dropped('malformed');
  const { protocol } = rejected.value;
  if (protocol === protocols.lcp) return told(at, { type: 'RXJ-' });
  const event = { type: 'Rejected', protocol };
  return [...told(at, { type: 'RXJ+' }), { type: 'tell', to: at.context.owner, event }];
}

/** §5.8: our reply bears our Magic-Number and is cut to what the peer can take. */
function echoRequest(packet: ControlPacket, at: Negotiating, peerMru: number): readonly Delivery[] | Dropped {
  return unlessLooped(packet, at, (rest) => {
    const room = Math.max(0, peerMru - LCP_HEADER_OCTETS - MAGIC_OCTETS);
    const data = emitMagicData({ magic: magicOf(at.context.ours), rest: rest.subarray(0, room) });
    return told(at, { type: 'RXR', reply: { code: codes.echoReply, identifier: packet.identifier, data } });
  });
}

/** RFC 1570 §1.1: recorded in every state, answered in none. */
function identification(packet: ControlPacket, at: Negotiating): readonly Delivery[] | Dropped {
  const body = parseMagicData(packet.data);
  if (!body.ok) return dropped('malformed');
  const event = { type: 'Identified', message: body.value.rest.slice() };
  return [...told(at, { type: 'RXR' }), { type: 'tell', to: at.context.owner, event }];
}

/** §6.4: after agreement, our own number in a packet shows that it is our own packet. */
function unlessLooped(
  packet: ControlPacket,
  at: Negotiating,
  then: (rest: Uint8Array) => readonly Delivery[],
): readonly Delivery[] | Dropped {
  const body = parseMagicData(packet.data);
  if (!body.ok) return dropped('malformed');
  const ours = magicOf(at.context.ours);
  if (ours !== 0 && body.value.magic === ours) return dropped('looped');
  return then(body.value.rest);
}
