import {
  AUTOMATON_LIMITS,
  type AuthContext,
  type AutomatonContext,
  classify,
  isDropped,
  type PppBody,
  type PppEffect,
  type PppSettings,
  pppActors,
} from '@culvert/actors-ppp';
import { type SessionState, stepSession } from '@culvert/kernel';
import { hex } from '@culvert/wire';
import {
  type CpOption,
  chapCodes,
  codes,
  controlPacketOctets,
  emitChapValue,
  emitMsChapV2Response,
  magicNumberOption,
  mruOption,
  optionsOctets,
  parseControlPacket,
  parseOptions,
  protocols,
} from '@culvert/wire/ppp';

export const CALL = 1;
export const MAGIC = magicNumberOption(0x01020304);
export const ADDRESS = Uint8Array.of(10, 98, 0, 7);
export const GATEWAY = Uint8Array.of(10, 98, 0, 1);
export const DNS = Uint8Array.of(10, 0, 0, 53);

const settings: PppSettings = {
  name: 'culvert',
  mru: 1400,
  pfcAcfc: true,
  methods: ['ms-chap-v2', 'chap-md5', 'pap'],
  automaton: AUTOMATON_LIMITS,
  establishMs: 35_000,
  authenticateMs: 60_000,
  echo: { intervalMs: 30_000, failures: 4 },
  dns: [DNS],
  dns6: [hex('20010db8000000000000000000000053')],
  families: [4, 6],
};

/** One session stepped by hand: what goes in is a fact, what comes out are effects. */
class Link {
  state: SessionState = {};
  seed = 0;

  take(body: PppBody): PppEffect[] {
    const deliveries = this.classified(body);
    if (isDropped(deliveries)) throw new Error(`dropped: ${deliveries.drop}`);
    const outcome = stepSession<PppEffect>(pppActors, this.state, deliveries, this.#stamp());
    if (outcome.unheard.length > 0) throw new Error(`nobody hears ${JSON.stringify(outcome.unheard)}`);
    this.state = outcome.state;
    return outcome.effects.map(({ effect }) => effect);
  }

  classified(body: PppBody): ReturnType<typeof classify> {
    return classify({ entropy: this.#stamp().entropy, body }, this.state);
  }

  drop(body: PppBody): string | undefined {
    const deliveries = this.classified(body);
    return isDropped(deliveries) ? deliveries.drop : undefined;
  }

  context<T>(id: string): T {
    return this.state[id]?.context as T;
  }

  #stamp() {
    this.seed += 1;
    const entropy = new Uint8Array(32);
    new DataView(entropy.buffer).setUint32(0, this.seed);
    return { at: this.seed * 1_000, entropy };
  }
}

export function frame(protocol: number, code: number, identifier: number, data: Uint8Array): PppBody {
  return {
    type: 'frame',
    call: CALL,
    protocol,
    information: controlPacketOctets({ code, identifier, data }),
  };
}

export const lcp = (code: number, identifier: number, options: readonly CpOption[]) =>
  frame(protocols.lcp, code, identifier, optionsOctets(options));
export const ipcp = (code: number, identifier: number, options: readonly CpOption[]) =>
  frame(protocols.ipcp, code, identifier, optionsOctets(options));

/** The packets of one protocol among the effects. */
export function sent(effects: readonly PppEffect[], protocol: number) {
  return effects.flatMap((effect) => {
    if (effect.type !== 'frame.send' || effect.protocol !== protocol) return [];
    const packet = parseControlPacket(effect.information);
    if (!packet.ok) throw new Error(packet.reason);
    const options = parseOptions(packet.value.data);
    return [{ ...packet.value, options: options.ok ? options.value : [] }];
  });
}

/** The link under test; `started` makes a new one. */
export let link: Link;

export function started(): void {
  link = new Link();
  link.take({ type: 'link.start', call: CALL, callingStation: '198.51.100.7', settings });
  link.take({ type: 'offered', call: CALL, methods: ['ms-chap-v2', 'chap-md5', 'pap'] });
}

export const ourRequest = (id: string) => link.context<AutomatonContext>(id);
export const acknowledge = (id: 'lcp' | 'ipcp' | 'ipv6cp', protocol: number) => {
  const { requestIdentifier, request } = ourRequest(`${id}/1`);
  return link.take(frame(protocol, codes.configureAck, requestIdentifier, optionsOctets(request)));
};

export function lcpOpened(options: readonly CpOption[] = [mruOption(1400), MAGIC]): PppEffect[] {
  link.take(lcp(codes.configureRequest, 1, options));
  return acknowledge('lcp', protocols.lcp);
}

export const msChapResponse = (peerChallenge: Uint8Array) => {
  const value = emitMsChapV2Response({ peerChallenge, ntResponse: new Uint8Array(24).fill(2) });
  const { identifier } = link.context<AuthContext>('auth/1');
  const name = new TextEncoder().encode('alice');
  return frame(protocols.chap, chapCodes.response, identifier, emitChapValue({ value, name }));
};

export function authenticated(): void {
  link.take(msChapResponse(new Uint8Array(16).fill(1)));
  const { attempt } = link.context<AuthContext>('auth/1');
  const verdict = {
    accepted: true,
    user: 'alice',
    authenticatorResponse: `S=${'0'.repeat(40)}`,
    policy: {},
  } as const;
  link.take({ type: 'verified', call: CALL, attempt, verdict });
}

export function leased(six = true): PppEffect[] {
  const prefix = hex('20010db8000000010000000000000000');
  const lease = {
    ipv4: { address: ADDRESS, gateway: GATEWAY },
    ...(six && { ipv6: { prefix, prefixLength: 64 } }),
  };
  return link.take({ type: 'leased', call: CALL, lease });
}
