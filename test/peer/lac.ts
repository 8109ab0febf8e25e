import type { Clock, EntropySource } from '@culvert/host';
import { exposed } from '@culvert/kernel';
import { u16 } from '@culvert/wire';
import {
  type ControlMessage,
  emitControlMessage,
  emitData,
  isControl,
  type OutgoingMessage,
  parseControlMessage,
  parseDataHeader,
} from '@culvert/wire/l2tp';

export interface LacPorts {
  readonly clock: Clock;
  readonly entropy: EntropySource;
  /** An L2TP message towards the LNS, to be put into UDP 1701 and ESP. */
  send(octets: Uint8Array): void;
  /** The call is up: PPP may begin. */
  up(): void;
  /** A PPP frame from its address and control fields on. */
  frame(octets: Uint8Array): void;
  /** The LNS, or silence, ended it. */
  down(why: string): void;
}

interface Unacknowledged {
  readonly ns: number;
  readonly octets: Uint8Array;
  tries: number;
}

const RETRANSMIT_MS = 1000;
const TRIES_MAX = 8;
/** RFC 2661 §4.4.3: what an absent Receive Window Size AVP stands for. */
const WINDOW = 4;

/**
 * The client's end of RFC 2661: one tunnel, one incoming call. It is deliberately independent of
 * `actors/l2tp`, so that the two ends cannot share a mistake: a fixed window, a fixed timer.
 */
export class Lac {
  readonly tunnelId: number;
  readonly sessionId: number;
  readonly #ports: LacPorts;
  #theirTunnel = 0;
  #theirSession = 0;
  #ns = 0;
  #nr = 0;
  #queue: Unacknowledged[] = [];
  #cancelTimer: () => void = () => {};
  #state: 'idle' | 'tunnel' | 'call' | 'up' | 'closed' = 'idle';
  /** Message types received, in order: what a test asserts on. */
  readonly heard: string[] = [];

  constructor(ports: LacPorts) {
    this.#ports = ports;
    const ids = exposed(ports.entropy.seed(), 1, 4);
    this.tunnelId = u16(ids, 0) || 1;
    this.sessionId = u16(ids, 2) || 1;
  }

  get state(): string {
    return this.#state;
  }

  /** What the LNS assigned; zero before it did. */
  get theirs(): { readonly tunnelId: number; readonly sessionId: number } {
    return { tunnelId: this.#theirTunnel, sessionId: this.#theirSession };
  }

  connect(hostName = 'client'): void {
    this.#state = 'tunnel';
    // SCCRQ  -->  (RFC 2661 §6.1)
    this.#say({
      type: 'SCCRQ',
      values: {
        protocolVersion: { version: 1, revision: 0 },
        hostName,
        framingCapabilities: 3,
        assignedTunnelId: this.tunnelId,
        receiveWindowSize: 4,
      },
    });
  }

  hangUp(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'up') {
      this.#say({ type: 'CDN', values: { resultCode: { result: 3 }, assignedSessionId: this.sessionId } });
    }
    this.#say({ type: 'StopCCN', values: { assignedTunnelId: this.tunnelId, resultCode: { result: 1 } } });
    this.#state = 'closed';
  }

  /** Stops all timers without a word, as a client does whose power is cut. */
  vanish(): void {
    this.#state = 'closed';
    this.#cancelTimer();
    this.#queue = [];
  }

  sendFrame(octets: Uint8Array): void {
    if (this.#state !== 'up') return;
    const header = { tunnelId: this.#theirTunnel, sessionId: this.#theirSession, priority: false };
    this.#ports.send(emitData(header, octets));
  }

  receive(octets: Uint8Array): void {
    if (isControl(octets) === true) this.#control(octets);
    else {
      const data = parseDataHeader(octets);
      if (data.ok && data.value.header.tunnelId === this.tunnelId) this.#ports.frame(data.value.payload);
    }
  }

  #control(octets: Uint8Array): void {
    const message = parseControlMessage(octets);
    if (!message.ok || message.value.header.tunnelId !== this.tunnelId) return;
    const { header, body } = message.value;
    this.#acknowledge(header.nr);
    if (body === undefined) return;
    if (header.ns !== this.#nr) {
      this.#zlb();
      return;
    }
    this.#nr = (this.#nr + 1) & 0xffff;
    this.heard.push(body.type ?? 'unknown');
    if (!this.#answer(message.value)) this.#zlb();
  }

  /** Answers whether a message of ours went out, which carries the acknowledgement. */
  #answer({ body }: ControlMessage): boolean {
    switch (body?.type) {
      case 'SCCRP':
        this.#theirTunnel = body.values.assignedTunnelId ?? 0;
        this.#state = 'call';
        this.#say({ type: 'SCCCN', values: {} });
        this.#say({ type: 'ICRQ', values: { assignedSessionId: this.sessionId, callSerialNumber: 1 } });
        return true;
      case 'ICRP':
        this.#theirSession = body.values.assignedSessionId ?? 0;
        this.#say({ type: 'ICCN', values: { txConnectSpeed: 1_000_000, framingType: 1 } });
        this.#state = 'up';
        this.#ports.up();
        return true;
      case 'CDN':
      case 'StopCCN':
        if (this.#state !== 'closed')
          this.#ports.down(`${body.type} ${body.values.resultCode?.result ?? ''}`);
        this.#state = 'closed';
        return false;
      default:
        return false;
    }
  }

  #say(message: OutgoingMessage): void {
    const sessionId = message.type === 'ICCN' || message.type === 'CDN' ? this.#theirSession : 0;
    const header = { tunnelId: this.#theirTunnel, sessionId, ns: this.#ns, nr: this.#nr };
    const octets = emitControlMessage(header, message);
    this.#queue.push({ ns: this.#ns, octets, tries: 0 });
    this.#ns = (this.#ns + 1) & 0xffff;
    // Every stock LAC sends what fits the window at once; only the head is ever repeated.
    if (this.#queue.length === 1) this.#transmit();
    else if (this.#queue.length <= WINDOW) this.#ports.send(octets);
  }

  #zlb(): void {
    const header = { tunnelId: this.#theirTunnel, sessionId: 0, ns: this.#ns, nr: this.#nr };
    this.#ports.send(emitControlMessage(header));
  }

  #acknowledge(nr: number): void {
    const head = this.#queue[0];
    if (head === undefined || ((nr - head.ns) & 0xffff) === 0 || ((nr - head.ns) & 0x8000) !== 0) return;
    while (
      this.#queue[0] !== undefined &&
      ((nr - this.#queue[0].ns) & 0x8000) === 0 &&
      nr !== this.#queue[0].ns
    ) {
      this.#queue.shift();
    }
    this.#cancelTimer();
    if (this.#queue.length > 0)
      this.#cancelTimer = this.#ports.clock.after(RETRANSMIT_MS, () => this.#transmit());
  }

  #transmit(): void {
    const head = this.#queue[0];
    if (head === undefined) return;
    if (head.tries >= TRIES_MAX) {
      this.#queue = [];
      this.#state = 'closed';
      this.#ports.down('no acknowledgement');
      return;
    }
    head.tries += 1;
    // §5.8: a retransmission carries the current Nr.
    const octets = head.octets.slice();
    octets[10] = this.#nr >>> 8;
    octets[11] = this.#nr & 0xff;
    this.#ports.send(octets);
    this.#cancelTimer = this.#ports.clock.after(RETRANSMIT_MS, () => this.#transmit());
  }
}
