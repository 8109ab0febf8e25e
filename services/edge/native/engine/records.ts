import type { EngineSink, OuterFlow } from '../../pipeline/index.ts';
import { textFlow } from '../../pipeline/index.ts';

/** In the order of `RecordKind` in records.h. */
const KIND = {
  ike: 1,
  l2tp: 2,
  ppp: 3,
  sequenceWanted: 4,
  endpointMoved: 5,
  entryRefused: 6,
  icvTruncated: 7,
  outer: 8,
  inner: 9,
} as const;

/** Reads what the engine wrote; its fields are as records.h has them, and it is ours, so nothing is checked. */
class Reader {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  }
  get done(): boolean {
    return this.#at >= this.#octets.length;
  }
  u8 = () => this.#view.getUint8(this.#step(1));
  u16 = () => this.#view.getUint16(this.#step(2));
  u32 = () => this.#view.getUint32(this.#step(4));
  octets = (length = this.u32()) => {
    const at = this.#step(length);
    return this.#octets.slice(at, at + length);
  };
  text = () => new TextDecoder().decode(this.octets());
  session = () => [this.u32(), this.u32()].map((half) => half.toString(16).padStart(8, '0')).join('');
  flow = (): OuterFlow => ({
    local: this.octets(16),
    localPort: this.u16(),
    remote: this.octets(16),
    remotePort: this.u16(),
  });
  #step(by: number): number {
    this.#at += by;
    return this.#at - by;
  }
}

/** Hands every record to the sink; `listeners` are the names behind the listeners' numbers. */
export function readRecords(octets: Uint8Array, sink: EngineSink, listeners: readonly string[]): void {
  const read = new Reader(octets);
  while (!read.done) {
    // The length is for readers that skip what they do not know.
    read.u32();
    const kind = read.u8();
    if (kind <= KIND.ppp) controlPacket(kind, read, sink, listeners);
    else if (kind < KIND.outer) event(kind, read, sink);
    else packet(kind, read, sink);
  }
}

function controlPacket(kind: number, read: Reader, sink: EngineSink, listeners: readonly string[]): void {
  if (kind === KIND.ike) {
    const listener = listeners[read.u8()] ?? '';
    const nonEspMarker = read.u8() === 1;
    const flow = textFlow(read.flow());
    sink.ike({ listener, flow, nonEspMarker, octets: read.octets() });
  } else if (kind === KIND.l2tp) {
    const session = read.session();
    const spi = read.u32();
    const flow = textFlow(read.flow());
    const innerPorts = { local: read.u16(), remote: read.u16() };
    const octets = read.octets();
    sink.l2tp({ session, spi, flow, innerPorts, octets }, read.text());
  } else {
    const session = read.session();
    const call = read.u16();
    const protocol = read.u16();
    const information = read.octets();
    const octets = new Uint8Array(2 + information.length);
    octets.set([protocol >>> 8, protocol & 0xff]);
    octets.set(information, 2);
    sink.ppp({ session, call, octets }, read.text());
  }
}

function event(kind: number, read: Reader, sink: EngineSink): void {
  const session = read.session();
  if (kind === KIND.sequenceWanted) {
    const inboundSpi = read.u32();
    sink.event({ type: 'sequence-wanted', session, inboundSpi, outboundSpi: read.u32() });
  } else if (kind === KIND.endpointMoved) {
    const [from, to] = [read.flow(), read.flow()];
    sink.event({ type: 'endpoint-moved', session, trace: read.text(), from, to });
  } else if (kind === KIND.icvTruncated) {
    const inboundSpi = read.u32();
    sink.event({ type: 'icv-truncated', session, trace: read.text(), inboundSpi });
  } else sink.event({ type: 'entry-refused', session, why: read.text() });
}

/** The tun's header stands in front of what goes there (vnet.h). */
const VNET_OCTETS = 10;

function packet(kind: number, read: Reader, sink: EngineSink): void {
  if (kind === KIND.outer) {
    const encapsulation = read.u8() === 1 ? 'udp' : 'none';
    const tos = read.u8();
    const flow = read.flow();
    sink.outer(flow, encapsulation, read.octets(), tos);
  } else sink.inner(read.octets().subarray(VNET_OCTETS));
}
