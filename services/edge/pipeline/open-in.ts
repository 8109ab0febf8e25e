import type { Instant } from '@culvert/kernel';
import { parseEspHeader, parseUdpEncapsulated } from '@culvert/wire/esp';
import { IPV4_INSIDE, IPV6_INSIDE, NO_NEXT_HEADER, parseUdp, UDP } from '@culvert/wire/ip';
import { keptFlow, type OuterFlow, sameFlow, textFlow } from './flow.ts';
import { openOn } from './icv-length.ts';
import { admit } from './ike-admission.ts';
import * as limits from './limits.ts';
import { messageIn } from './message-in.ts';
import type { OuterPacket } from './ports.ts';
import type { SaRow } from './rows.ts';
import { drop, type EngineState } from './state.ts';
import { take } from './token-bucket.ts';
import { openLink, userIn } from './user-in.ts';

/**
 * Stages of a packet from outside: 1 what it is (RFC 3948 §2), 2 whose SA, 3 open, 4 follow the client's
 * address, 5 the UDP inside against the SA's selector and L2TP (`message-in.ts`), or in tunnel mode the IP
 * packet inside (`user-in.ts`).
 */
const IKE_HEADER_OCTETS = 28;
/** RFC 3193 §4: L2TP is spoken on this port of ours and no other. */
const L2TP_PORT = 1701;

export function packetIn(state: EngineState, packet: OuterPacket, at: Instant) {
  if (packet.via === 'ike') return ikeIn(state, packet, packet.octets, false, at);
  if (packet.via === 'esp') return espIn(state, packet, packet.octets, 'none', at);
  const what = parseUdpEncapsulated(packet.octets);
  if (!what.ok) return drop(state, 'outer-malformed');
  if (what.value.kind === 'keepalive') {
    // RFC 3948 §4: ignored, and no proof that the peer lives.
    state.keepalives += 1;
    return;
  }
  if (what.value.kind === 'ike') return ikeIn(state, packet, what.value.octets, true, at);
  espIn(state, packet, what.value.octets, 'udp', at);
}

function ikeIn(
  state: EngineState,
  packet: OuterPacket,
  octets: Uint8Array,
  nonEspMarker: boolean,
  at: Instant,
) {
  if (octets.length < IKE_HEADER_OCTETS) return drop(state, 'outer-malformed');
  // RFC 2408 §3.1: no responder cookie yet, so this asks for a new ISAKMP SA.
  const first = octets.subarray(8, 16).every((octet) => octet === 0);
  if (!admit(state.admission, packet.flow.remote, first, at)) return drop(state, 'ike-rate');
  const { listener } = packet;
  state.sink.ike({ listener, flow: textFlow(packet.flow), nonEspMarker, octets: octets.slice() });
}

function espIn(
  state: EngineState,
  packet: OuterPacket,
  octets: Uint8Array,
  encapsulation: 'none' | 'udp',
  at: Instant,
) {
  const header = parseEspHeader(octets);
  if (!header.ok) return drop(state, 'outer-malformed');
  const sa = state.tables.sas.get(header.value.spi);
  // Silence: whoever guesses SPIs learns nothing (RFC 4303 §3.4.2).
  if (sa === undefined) return drop(state, 'unknown-spi');
  if (sa.entry.expiresAt <= at) return drop(state, 'sa-expired', sa.session);
  if (sa.entry.encapsulation !== encapsulation) return drop(state, 'wrong-encapsulation', sa.session);
  const opened = openOn(state, sa, octets);
  sa.window = opened.window;
  if (!opened.ok) return drop(state, opened.fault, sa.session);
  state.espIn += 1;
  sa.seen = true;
  sa.session.lastInboundAt = at;
  sa.session.touched = true;
  if (opened.newest && encapsulation === 'udp') followEndpoint(state, sa, packet.flow, at);
  if (opened.nextHeader === NO_NEXT_HEADER) return drop(state, 'esp-dummy', sa.session);
  const inside = { nextHeader: opened.nextHeader, octets: opened.payload, tos: packet.tos ?? 0 };
  if (sa.tunnel === undefined) datagramIn(state, sa, inside, at);
  else tunneled(state, sa, inside, at);
}

/**
 * The client's NAT gave it another address or port: the newest authenticated packet says where it is now.
 * The session's other SAs run through the same NAT, so those that stood at the old place move along.
 */
function followEndpoint(state: EngineState, sa: SaRow, flow: OuterFlow, at: Instant) {
  const from = sa.endpoint;
  if (sameFlow(from, flow)) return;
  const { session } = sa;
  if (!take(session.moves, limits.MOVE_RATE, at)) return;
  const to = keptFlow(flow);
  for (const other of session.sas) {
    if (other === sa || sameFlow(other.endpoint, from)) other.endpoint = to;
  }
  state.moves += 1;
  state.sink.event({ type: 'endpoint-moved', session: session.session, trace: session.trace, from, to });
}

/** What was inside ESP. */
interface Inside {
  readonly nextHeader: number;
  readonly octets: Uint8Array;
  readonly tos: number;
}

/** RFC 3193 §4: only what the SA was negotiated for. The checksum is not looked at (RFC 3948 §3.1.2). */
function datagramIn(state: EngineState, sa: SaRow, inside: Inside, at: Instant) {
  if (inside.nextHeader !== UDP) return drop(state, 'esp-next-header', sa.session);
  const udp = parseUdp(inside.octets);
  if (!udp.ok) return drop(state, 'udp-malformed', sa.session);
  const { selector } = sa.entry;
  const { sourcePort, destinationPort } = udp.value;
  const ours =
    destinationPort === L2TP_PORT && (selector.localPort === 0 || selector.localPort === L2TP_PORT);
  const theirs = selector.remotePort === 0 || selector.remotePort === sourcePort;
  if (!ours || !theirs) return drop(state, 'selector', sa.session);
  const innerPorts = { local: destinationPort, remote: sourcePort };
  messageIn(state, { sa, innerPorts, octets: udp.value.payload, tos: inside.tos }, at);
}

/** RFC 4303 §2.6: in tunnel mode the next header says which IP is inside. */
function tunneled(state: EngineState, sa: SaRow, { nextHeader, octets, tos }: Inside, at: Instant) {
  const { session, tunnel } = sa;
  const family = nextHeader === IPV4_INSIDE ? 4 : nextHeader === IPV6_INSIDE ? 6 : undefined;
  const version = octets.length === 0 ? family : (octets[0] ?? 0) >>> 4;
  if (family === undefined || version !== family) return drop(state, 'esp-next-header', session);
  const link = openLink(session.tunnelLink, family);
  if (link === undefined) return drop(state, 'no-link', session);
  userIn(state, { link, family, octets, tos, ...(tunnel && { tunnel }) }, at);
}
