import type { Clock } from '@culvert/host';
import {
  type ControlPacket,
  type CpOption,
  codes,
  controlPacketOctets,
  optionsOctets,
  parseControlPacket,
  parseOptions,
  sameOption,
} from '@culvert/wire/ppp';

export interface NegotiationRules {
  /** What we ask for first. */
  readonly wishes: readonly CpOption[];
  /** Our judgement of one option of the other end: a counter-proposal means Nak. */
  judge(option: CpOption): 'ack' | 'reject' | { readonly nak: CpOption };
  /** The other end Nak'ed: our next wishes. */
  adopt(wishes: readonly CpOption[], naked: readonly CpOption[]): readonly CpOption[];
}

export interface NegotiationPorts {
  readonly clock: Clock;
  send(packet: Uint8Array): void;
  opened(ours: readonly CpOption[], theirs: readonly CpOption[]): void;
  closed(why: string): void;
  /** Any other code, or undefined when it is to be Code-Rejected. */
  other(packet: ControlPacket): boolean;
}

const RESTART_MS = 3000;
const CONFIGURE_MAX = 10;

/**
 * One option negotiation from the client's side, written without the shared RFC 1661 automaton on
 * purpose: the two ends must not share their mistakes.
 */
export class Negotiation {
  readonly #rules: NegotiationRules;
  readonly #ports: NegotiationPorts;
  #wishes: readonly CpOption[];
  #identifier = 0;
  #tries = 0;
  #ackedByThem: readonly CpOption[] | undefined;
  #ackedByUs: readonly CpOption[] | undefined;
  #cancel: () => void = () => {};
  state: 'closed' | 'negotiating' | 'opened' = 'closed';

  constructor(rules: NegotiationRules, ports: NegotiationPorts) {
    this.#rules = rules;
    this.#ports = ports;
    this.#wishes = rules.wishes;
  }

  open(): void {
    this.state = 'negotiating';
    this.#tries = 0;
    this.#request();
  }

  /** Terminate-Request (RFC 1661 §5.5), sent once: the call ends anyway. */
  close(): void {
    this.#identifier += 1;
    this.#packet(codes.terminateRequest, this.#identifier, new Uint8Array(0));
    this.stop();
  }

  stop(): void {
    this.#cancel();
    this.state = 'closed';
    this.#ackedByThem = undefined;
    this.#ackedByUs = undefined;
  }

  receive(octets: Uint8Array): void {
    const packet = parseControlPacket(octets);
    if (!packet.ok) return;
    const { code, identifier, data } = packet.value;
    switch (code) {
      case codes.configureRequest:
        this.#onRequest(identifier, data);
        break;
      case codes.configureAck:
      case codes.configureNak:
      case codes.configureReject:
        if (identifier === (this.#identifier & 0xff)) this.#onAnswer(code, data);
        break;
      case codes.terminateRequest:
        this.#packet(codes.terminateAck, identifier, data);
        this.stop();
        this.#ports.closed('Terminate-Request');
        break;
      case codes.terminateAck:
        break;
      default:
        if (!this.#ports.other(packet.value)) this.#packet(codes.codeReject, this.#identifier + 1, octets);
    }
  }

  #onRequest(identifier: number, data: Uint8Array): void {
    const options = parseOptions(data);
    if (!options.ok) return;
    if (this.state === 'opened') {
      // RFC 1661 §4.1, RCR+ in Opened: start over.
      this.#ackedByThem = undefined;
      this.state = 'negotiating';
      this.#request();
    }
    const rejected: CpOption[] = [];
    const naked: CpOption[] = [];
    for (const option of options.value) {
      const verdict = this.#rules.judge(option);
      if (verdict === 'reject') rejected.push(option);
      else if (verdict !== 'ack') naked.push(verdict.nak);
    }
    if (rejected.length > 0) this.#packet(codes.configureReject, identifier, optionsOctets(rejected));
    else if (naked.length > 0) this.#packet(codes.configureNak, identifier, optionsOctets(naked));
    else {
      this.#packet(codes.configureAck, identifier, data);
      this.#ackedByUs = options.value;
      this.#settle();
    }
  }

  #onAnswer(code: number, data: Uint8Array): void {
    const options = parseOptions(data);
    if (!options.ok) return;
    if (code === codes.configureAck) {
      this.#ackedByThem = this.#wishes;
      this.#cancel();
      this.#settle();
      return;
    }
    if (code === codes.configureReject) {
      this.#wishes = this.#wishes.filter(
        (wish) => !options.value.some((option) => option.type === wish.type),
      );
    } else this.#wishes = this.#rules.adopt(this.#wishes, options.value);
    this.#request();
  }

  #settle(): void {
    if (this.#ackedByThem === undefined || this.#ackedByUs === undefined || this.state === 'opened') return;
    this.state = 'opened';
    this.#ports.opened(this.#ackedByThem, this.#ackedByUs);
  }

  #request(): void {
    this.#cancel();
    this.#tries += 1;
    if (this.#tries > CONFIGURE_MAX) {
      this.stop();
      this.#ports.closed('no answer');
      return;
    }
    this.#identifier += 1;
    this.#packet(codes.configureRequest, this.#identifier, optionsOctets(this.#wishes));
    this.#cancel = this.#ports.clock.after(RESTART_MS, () => this.#request());
  }

  #packet(code: number, identifier: number, data: Uint8Array): void {
    this.#ports.send(controlPacketOctets({ code, identifier: identifier & 0xff, data }));
  }
}

/** Replaces the values that were Nak'ed; options that we had not asked for are passed over. */
export function adoptValues(wishes: readonly CpOption[], naked: readonly CpOption[]): readonly CpOption[] {
  return wishes.map((wish) => {
    const better = naked.find((option) => option.type === wish.type);
    return better === undefined || sameOption(wish, better)
      ? wish
      : { type: wish.type, data: better.data.slice() };
  });
}
