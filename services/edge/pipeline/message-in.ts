import type { Instant } from '@culvert/kernel';
import { isControl, parseDataHeader } from '@culvert/wire/l2tp';
import { bareFrame, type Frame, parseFrame, protocols } from '@culvert/wire/ppp';
import { textFlow } from './flow.ts';
import * as limits from './limits.ts';
import type { CallRow } from './rows.ts';
import { type Decrypted, drop, type EngineState } from './state.ts';
import { take } from './token-bucket.ts';
import { openLink, userIn } from './user-in.ts';

/** An L2TP message from a session's SA: control to the l2tp service, data by call and PPP protocol. */
export function messageIn(state: EngineState, decrypted: Decrypted, at: Instant) {
  const { sa, octets, innerPorts } = decrypted;
  const { session } = sa;
  const control = isControl(octets);
  if (control === undefined) return drop(state, 'l2tp-malformed', session);
  if (!control) return dataIn(state, decrypted, at);
  if (!take(session.control, limits.L2TP_CONTROL_RATE, at)) return drop(state, 'control-rate', session);
  state.sink.l2tp(
    {
      session: session.session,
      spi: sa.entry.inboundSpi,
      flow: textFlow(sa.endpoint),
      innerPorts,
      octets: octets.slice(),
    },
    session.trace,
  );
}

function dataIn(state: EngineState, { sa, octets, tos }: Decrypted, at: Instant) {
  const { session } = sa;
  const data = parseDataHeader(octets);
  if (!data.ok) return drop(state, 'l2tp-malformed', session);
  const { header, payload } = data.value;
  // Calls are looked up within the SA's session: an SA never reaches another session's call (S-1).
  const call = session.calls.get(header.sessionId);
  if (call === undefined || call.entry.ours.tunnel !== header.tunnelId) {
    return drop(state, 'l2tp-unknown-call', session);
  }
  if (header.ns !== undefined && !inSequence(call, header.ns)) {
    return drop(state, 'l2tp-old-sequence', session);
  }
  const frame = parseFrame(payload);
  if (!frame.ok) return drop(state, 'ppp-malformed', session);
  frameIn(state, call, frame.value, tos, at);
}

/** RFC 2661 §5.4 and appendix C: late and repeated data messages are discarded, never put in order. */
function inSequence(call: CallRow, ns: number): boolean {
  const ahead = (ns - (call.nsExpected ?? ns)) & 0xffff;
  if (ahead >= 0x8000) return false;
  call.nsExpected = (ns + 1) & 0xffff;
  return true;
}

function frameIn(state: EngineState, call: CallRow, frame: Frame, tos: number, at: Instant) {
  const { session } = call;
  const { protocol, information } = frame;
  if (protocol === protocols.ipv4 || protocol === protocols.ipv6) {
    const family = protocol === protocols.ipv4 ? 4 : 6;
    const link = openLink(call.link, family);
    // RFC 1661 §3.5: network packets before their control protocol is Opened are discarded.
    if (link === undefined) return drop(state, 'ppp-no-link', session);
    return userIn(state, { link, family, octets: information, tos }, at);
  }
  if (!take(call.control, limits.PPP_CONTROL_RATE, at)) return drop(state, 'control-rate', session);
  const octets = bareFrame(frame);
  state.sink.ppp({ session: session.session, call: call.entry.ours.call, octets }, session.trace);
}
