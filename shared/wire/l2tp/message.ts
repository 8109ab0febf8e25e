import { concat } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import { AVP_HEADER_OCTETS, AVP_VALUE_OCTETS_MAX, type Avp, emitAvp, parseAvp } from './avp.ts';
import { AVPS, type AvpName, type AvpValues, avpName, type ValueName } from './avp-dictionary.ts';
import {
  CONTROL_HEADER_OCTETS,
  type ControlHeader,
  emitControlHeader,
  parseControlHeader,
} from './header.ts';
import type { Hide, Reveal } from './hidden.ts';
import { MESSAGES, type MessageName, messageName, ruleOf } from './message-rules.ts';
import { ERRORS } from './result-codes.ts';
import type { ValueCodec } from './values.ts';

/** More AVPs than any message has; a longer run is refused before it costs anything. */
export const AVPS_MAX = 64;

/** Why a message ends its session or tunnel: the Error Code and Error Message of a general error (§4.4.2). */
export interface MessageFault {
  readonly error: number;
  readonly text: string;
}

export interface MessageBody {
  /** Undefined: a Message Type we do not know. Without a fault it may be ignored (§4.4.1). */
  readonly type: MessageName | undefined;
  readonly values: AvpValues;
  /** AVPs taken as absent, for the log: unrecognised or malformed without M, or out of place here. */
  readonly ignored: readonly string[];
  readonly fault?: MessageFault;
}

export interface ControlMessage {
  readonly header: ControlHeader;
  /** Undefined for a ZLB, which acknowledges and nothing else (§5.8). */
  readonly body?: MessageBody;
}

/**
 * Only a message whose header or Message Type cannot be read is malformed (§7.1: discard). Anything else
 * that is wrong becomes `fault`, because it has a sequence number, must be acknowledged, and ends
 * something; what was read of it is still there to say what.
 */
export function parseControlMessage(octets: Uint8Array, reveal?: Reveal): Parsed<ControlMessage> {
  const outer = parseControlHeader(octets);
  if (!outer.ok) return outer;
  const { header, avps } = outer.value;
  if (avps.length === 0) return parsed({ header });
  const first = parseAvp(avps, 0);
  if (!first.ok) return malformed(first.reason, CONTROL_HEADER_OCTETS + first.offset);
  const { avp, next } = first.value;
  // §4.4.1: Message Type comes first and is never hidden.
  if (avp.vendorId !== 0 || avp.type !== AVPS.messageType.type)
    return malformed('missing', CONTROL_HEADER_OCTETS);
  const code = avp.hidden ? malformed('bad-flags', 0) : AVPS.messageType.codec.parse(avp.value);
  if (!code.ok) return malformed(code.reason, CONTROL_HEADER_OCTETS);
  const type = messageName(code.value);
  if (type !== undefined) return parsed({ header, body: checked(type, gathered(avps, next, reveal)) });
  const unknown = { type, values: {}, ignored: [`Message Type ${code.value}`] };
  const fault = { error: ERRORS.badValue, text: `unknown mandatory Message Type ${code.value}` };
  return parsed({ header, body: avp.mandatory ? { ...unknown, fault } : unknown });
}

interface Gathered {
  readonly values: Partial<Record<ValueName, unknown>>;
  readonly ignored: string[];
  fault?: MessageFault;
}

/** Walks on after a fault while it can: the answer to it needs the peer's identifiers. */
function gathered(avps: Uint8Array, start: number, reveal: Reveal | undefined): Gathered {
  const found: Gathered = { values: {}, ignored: [] };
  let vector: Uint8Array | undefined;
  let offset = start;
  for (let count = 1; offset < avps.length; count += 1) {
    const one = parseAvp(avps, offset);
    if (!one.ok || count >= AVPS_MAX) {
      const text = one.ok
        ? `more than ${AVPS_MAX} AVPs`
        : `AVP Length at octet ${CONTROL_HEADER_OCTETS + offset}`;
      found.fault ??= { error: ERRORS.badLength, text };
      return found;
    }
    const { avp, next } = one.value;
    offset = next;
    const name = avp.vendorId === 0 ? avpName(avp.type) : undefined;
    if (name === 'randomVector') {
      vector = avp.value;
      continue;
    }
    const outcome =
      name === undefined || name === 'messageType'
        ? fault(ERRORS.unknownMandatoryAvp, `unknown AVP vendor ${avp.vendorId} attribute ${avp.type}`)
        : meaning(avp, name, vector, reveal);
    if ('value' in outcome) keep(found, name as ValueName, outcome.value);
    // §4.1 and §7.1: M decides whether an AVP that cannot be used is fatal or as good as absent.
    else if (avp.mandatory) found.fault ??= outcome;
    else found.ignored.push(outcome.text);
  }
  return found;
}

/** The first of several counts; RFC 3145 §3.4 allows more, for logging only. */
function keep(found: Gathered, name: ValueName, value: unknown): void {
  if (found.values[name] === undefined) found.values[name] = value;
  else found.ignored.push(`repeated ${name}`);
}

function meaning(
  avp: Avp,
  name: ValueName,
  vector: Uint8Array | undefined,
  reveal: Reveal | undefined,
): { readonly value: unknown } | MessageFault {
  const row = AVPS[name];
  let octets: Uint8Array | undefined = avp.value;
  if (avp.hidden) {
    if (!row.mayBeHidden) return fault(ERRORS.badValue, `${name} must not be hidden`);
    octets = vector === undefined || reveal === undefined ? undefined : reveal(avp.type, vector, avp.value);
    if (octets === undefined) return fault(ERRORS.badValue, `hidden ${name} cannot be revealed`);
  }
  const value: Parsed<unknown> = row.codec.parse(octets);
  if (value.ok) return { value: value.value };
  const error = value.reason === 'bad-length' ? ERRORS.badLength : ERRORS.badValue;
  return fault(error, `${name}: ${value.reason}`);
}

const fault = (error: number, text: string): MessageFault => ({ error, text });

/** The one loop that holds every message to its rule. */
function checked(type: MessageName, found: Gathered): MessageBody {
  const { must, may } = ruleOf(type);
  const values: Partial<Record<ValueName, unknown>> = {};
  const ignored = [...found.ignored];
  for (const [name, value] of Object.entries(found.values) as [ValueName, unknown][]) {
    if (must.includes(name) || may.includes(name)) values[name] = value;
    else ignored.push(`${name} does not belong in ${type}`);
  }
  const missing = must.find((name) => values[name] === undefined);
  const fault =
    found.fault ??
    (missing === undefined ? undefined : { error: ERRORS.badValue, text: `${type} without ${missing}` });
  const body = { type, values: values as AvpValues, ignored };
  return fault === undefined ? body : { ...body, fault };
}

/** What we say: the values in the order given. */
export interface OutgoingMessage {
  readonly type: MessageName;
  readonly values: AvpValues;
}

/** §4.3: one Random Vector, before every hidden AVP; `which` are hidden if the dictionary allows it. */
export interface Hiding {
  readonly randomVector: Uint8Array;
  readonly hide: Hide;
  readonly which: (name: AvpName) => boolean;
}

/** A whole control message, or a ZLB when there is nothing to say. */
export function emitControlMessage(
  header: ControlHeader,
  message?: OutgoingMessage,
  hiding?: Hiding,
): Uint8Array {
  const avps = message === undefined ? new Uint8Array(0) : emitAvps(message, hiding);
  const octets = new Uint8Array(CONTROL_HEADER_OCTETS + avps.length);
  octets.set(avps, emitControlHeader(header, octets.length, octets));
  return octets;
}

function emitAvps(message: OutgoingMessage, hiding: Hiding | undefined): Uint8Array {
  const parts = [emitOne('messageType', AVPS.messageType.codec.emit(MESSAGES[message.type].type), false)];
  let vectorSent = false;
  for (const [name, value] of Object.entries(message.values) as [ValueName, unknown][]) {
    if (value === undefined) continue;
    const row = AVPS[name];
    const plain = (row.codec as ValueCodec<unknown>).emit(value);
    if (hiding === undefined || !row.mayBeHidden || !hiding.which(name)) {
      parts.push(emitOne(name, plain, false));
      continue;
    }
    if (!vectorSent) parts.push(emitOne('randomVector', hiding.randomVector, false));
    vectorSent = true;
    parts.push(emitOne(name, hiding.hide(row.type, hiding.randomVector, plain), true));
  }
  return concat(...parts);
}

function emitOne(name: AvpName, value: Uint8Array, hidden: boolean): Uint8Array {
  if (value.length > AVP_VALUE_OCTETS_MAX) throw new RangeError(`${name} has ${value.length} octets`);
  const octets = new Uint8Array(AVP_HEADER_OCTETS + value.length);
  const { type, mandatory } = AVPS[name];
  emitAvp({ mandatory, hidden, vendorId: 0, type, value }, octets, 0);
  return octets;
}
