import { type SessionState, stepSession } from '@culvert/kernel';
import { concat, hex } from '@culvert/wire';
import { routerSolicitationPacket } from '@culvert/wire/ip';
import {
  authenticationProtocolOption,
  type CpOption,
  chapCodes,
  codes,
  controlPacketOctets,
  emitChapValue,
  emitMagicData,
  emitMsChapV2Response,
  ipcpOptions,
  ipv4Option,
  lcpOptions,
  magicNumberOption,
  mruOption,
  optionsOctets,
  parseControlPacket,
  parseOptions,
  protocols,
} from '@culvert/wire/ppp';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AuthContext } from './auth/actions.ts';
import type { AutomatonContext } from './automaton/actions.ts';
import { classify } from './classify.ts';
import { isDropped } from './dropped.ts';
import type { PppEffect } from './effects.ts';
import type { PppBody } from './facts.ts';
import { AUTOMATON_LIMITS, type PppSettings, pppActors } from './index.ts';
import type { LinkContext } from './link/context.ts';

const CALL = 1;
const MAGIC = magicNumberOption(0x01020304);
const ADDRESS = Uint8Array.of(10, 98, 0, 7);
const GATEWAY = Uint8Array.of(10, 98, 0, 1);
const DNS = Uint8Array.of(10, 0, 0, 53);

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
    expect(outcome.unheard).toEqual([]);
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

function frame(protocol: number, code: number, identifier: number, data: Uint8Array): PppBody {
  return {
    type: 'frame',
    call: CALL,
    protocol,
    information: controlPacketOctets({ code, identifier, data }),
  };
}

const lcp = (code: number, identifier: number, options: readonly CpOption[]) =>
  frame(protocols.lcp, code, identifier, optionsOctets(options));
const ipcp = (code: number, identifier: number, options: readonly CpOption[]) =>
  frame(protocols.ipcp, code, identifier, optionsOctets(options));

/** The packets of one protocol among the effects. */
function sent(effects: readonly PppEffect[], protocol: number) {
  return effects.flatMap((effect) => {
    if (effect.type !== 'frame.send' || effect.protocol !== protocol) return [];
    const packet = parseControlPacket(effect.information);
    if (!packet.ok) throw new Error(packet.reason);
    const options = parseOptions(packet.value.data);
    return [{ ...packet.value, options: options.ok ? options.value : [] }];
  });
}

let link: Link;

function started(): void {
  link = new Link();
  link.take({ type: 'link.start', call: CALL, callingStation: '198.51.100.7', settings });
  link.take({ type: 'offered', call: CALL, methods: ['ms-chap-v2', 'chap-md5', 'pap'] });
}

const ourRequest = (id: string) => link.context<AutomatonContext>(id);
const acknowledge = (id: 'lcp' | 'ipcp' | 'ipv6cp', protocol: number) => {
  const { requestIdentifier, request } = ourRequest(`${id}/1`);
  return link.take(frame(protocol, codes.configureAck, requestIdentifier, optionsOctets(request)));
};

function lcpOpened(options: readonly CpOption[] = [mruOption(1400), MAGIC]): PppEffect[] {
  link.take(lcp(codes.configureRequest, 1, options));
  return acknowledge('lcp', protocols.lcp);
}

const msChapResponse = (peerChallenge: Uint8Array) => {
  const value = emitMsChapV2Response({ peerChallenge, ntResponse: new Uint8Array(24).fill(2) });
  const { identifier } = link.context<AuthContext>('auth/1');
  const name = new TextEncoder().encode('alice');
  return frame(protocols.chap, chapCodes.response, identifier, emitChapValue({ value, name }));
};

function authenticated(): void {
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

function leased(six = true): PppEffect[] {
  const prefix = hex('20010db8000000010000000000000000');
  const lease = {
    ipv4: { address: ADDRESS, gateway: GATEWAY },
    ...(six && { ipv6: { prefix, prefixLength: 64 } }),
  };
  return link.take({ type: 'leased', call: CALL, lease });
}

beforeEach(started);

describe('LCP, as the peer asks', () => {
  test('Windows: callback and MRRU are rejected, then the rest is acknowledged', () => {
    const flags = [
      { type: lcpOptions.pfc, data: hex('') },
      { type: lcpOptions.acfc, data: hex('') },
    ];
    const callback = { type: lcpOptions.callback, data: hex('06') };
    const mrru = { type: lcpOptions.mrru, data: hex('064e') };
    const endpoint = { type: lcpOptions.endpointDiscriminator, data: hex('01aabb') };
    const kept = [mruOption(1400), MAGIC, ...flags];
    const [first] = sent(
      link.take(lcp(codes.configureRequest, 0, [...kept, callback, mrru, endpoint])),
      protocols.lcp,
    );
    expect(first).toMatchObject({
      code: codes.configureReject,
      identifier: 0,
      options: [callback, mrru, endpoint],
    });
    const [second] = sent(link.take(lcp(codes.configureRequest, 1, kept)), protocols.lcp);
    expect(second).toMatchObject({ code: codes.configureAck, identifier: 1, options: kept });
  });

  test.each([
    ['authentication of ours', authenticationProtocolOption({ protocol: protocols.pap })],
    ['Quality-Protocol', { type: lcpOptions.qualityProtocol, data: hex('c02500000000') }],
    ['Link-Discriminator', { type: lcpOptions.linkDiscriminator, data: hex('0001') }],
    ['an MRU of three octets', { type: lcpOptions.mru, data: hex('010203') }],
    ['an unknown option', { type: 200, data: hex('') }],
  ])('%s is rejected', (_name, option) => {
    const [reply] = sent(link.take(lcp(codes.configureRequest, 3, [MAGIC, option])), protocols.lcp);
    expect(reply).toMatchObject({ code: codes.configureReject, options: [option] });
  });

  test.each([
    [mruOption(128), mruOption(1400)],
    [magicNumberOption(0), undefined],
  ])("a useless value is Nak'd with a better one", (option, better) => {
    const [reply] = sent(link.take(lcp(codes.configureRequest, 3, [option])), protocols.lcp);
    expect(reply?.code).toBe(codes.configureNak);
    expect(reply?.options[0]?.type).toBe(option.type);
    if (better !== undefined) expect(reply?.options).toEqual([better]);
    else expect(reply?.options[0]?.data).not.toEqual(option.data);
  });

  test("every MRU from 0 to 65535 is either acknowledged or Nak'd", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (mru) => {
        started();
        const [reply] = sent(link.take(lcp(codes.configureRequest, 1, [mruOption(mru)])), protocols.lcp);
        expect(reply?.code).toBe(mru < 576 ? codes.configureNak : codes.configureAck);
      }),
      { numRuns: 50 },
    );
  });

  test('RFC 1661 §4.6: after Max-Failure Naks the option is rejected', () => {
    const replies = Array.from(
      { length: 6 },
      (_, id) => sent(link.take(lcp(codes.configureRequest, id, [mruOption(100)])), protocols.lcp)[0],
    );
    expect(replies.map((reply) => reply?.code)).toEqual([3, 3, 3, 3, 3, 4]);
  });

  test("RFC 1661 §6.4: our own Magic-Number is Nak'd before anything else", () => {
    const { request } = ourRequest('lcp/1');
    const [reply] = sent(link.take(lcp(codes.configureRequest, 1, request)), protocols.lcp);
    expect(reply?.code).toBe(codes.configureNak);
    expect(reply?.options.map((option) => option.type)).toEqual([lcpOptions.magicNumber]);
  });

  test('a link that reflects everything is found out and ended', () => {
    let effects: PppEffect[] = [];
    const { requestIdentifier, request } = ourRequest('lcp/1');
    effects = link.take(lcp(codes.configureRequest, requestIdentifier, request));
    for (let round = 0; round < 20 && !effects.some((effect) => effect.type === 'explain'); round += 1) {
      const back = effects.filter((effect) => effect.type === 'frame.send');
      effects = back.flatMap((one) => link.take({ ...one, type: 'frame' }));
    }
    expect(effects).toContainEqual(expect.objectContaining({ type: 'explain', level: 'warn' }));
    expect(link.context<LinkContext>('link/1').ending?.message).toContain('looped');
  });

  test('replies never outgrow the request, whatever is in it', () => {
    const option = fc.record({
      type: fc.integer({ min: 0, max: 30 }),
      data: fc.uint8Array({ maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(option, { maxLength: 64 }), (options) => {
        started();
        const deliveries = link.take(lcp(codes.configureRequest, 1, options));
        const [reply] = sent(deliveries, protocols.lcp);
        // A Nak may lengthen a value that was too short, once per type.
        expect(reply?.data.length ?? 0).toBeLessThanOrEqual(optionsOctets(options).length + 8);
      }),
    );
  });
});

describe('LCP, as we ask', () => {
  const turnDown = (code: number, options: readonly CpOption[]) =>
    link.take(lcp(code, ourRequest('lcp/1').requestIdentifier, options));
  const asked = () => ourRequest('lcp/1').request;
  const method = () => asked().find((option) => option.type === lcpOptions.authenticationProtocol)?.data;

  test('MRU, the best method, a Magic-Number', () => {
    expect(asked().map((option) => option.type)).toEqual([1, 3, 5]);
    expect(method()).toEqual(hex('c22381'));
  });

  test('the peer names the method that it would rather do', () => {
    turnDown(codes.configureNak, [authenticationProtocolOption({ protocol: protocols.pap })]);
    expect(method()).toEqual(hex('c023'));
  });

  test.each([
    ['EAP', 'c227'],
    ['MS-CHAPv1', 'c22380'],
    ['SPAP', 'c027'],
    ['nonsense', 'ff'],
  ])('a wish for %s: the next of our list', (_name, wish) => {
    turnDown(codes.configureNak, [{ type: 3, data: hex(wish) }]);
    expect(method()).toEqual(hex('c22305'));
    turnDown(codes.configureNak, [{ type: 3, data: hex(wish) }]);
    expect(method()).toEqual(hex('c023'));
    const effects = turnDown(codes.configureNak, [{ type: 3, data: hex(wish) }]);
    expect(effects).toContainEqual(expect.objectContaining({ type: 'explain', level: 'warn' }));
    expect(link.context<LinkContext>('link/1').ending).toMatchObject({ reason: 'authentication-failed' });
  });

  test('a peer that rejects authentication is let go', () => {
    turnDown(
      codes.configureReject,
      asked().filter((option) => option.type === 3),
    );
    expect(link.context<LinkContext>('link/1').ending).toMatchObject({ reason: 'authentication-failed' });
  });

  test('a smaller MRU is taken, a larger one is not, and a rejected one means 1500', () => {
    turnDown(codes.configureNak, [mruOption(1280)]);
    expect(asked()[0]).toEqual(mruOption(1280));
    turnDown(codes.configureNak, [mruOption(1500)]);
    expect(asked()[0]).toEqual(mruOption(1280));
    turnDown(codes.configureReject, [mruOption(1280)]);
    expect(asked().map((option) => option.type)).toEqual([3, 5]);
  });

  test('options that we did not ask for change nothing', () => {
    const before = asked();
    turnDown(codes.configureNak, [{ type: lcpOptions.pfc, data: hex('') }]);
    expect(asked()).toEqual(before);
  });

  test('invalid answers are silently discarded', () => {
    const { requestIdentifier, request } = ourRequest('lcp/1');
    const octets = optionsOctets(request);
    expect(link.drop(frame(protocols.lcp, codes.configureAck, requestIdentifier + 1, octets))).toBe(
      'stale-identifier',
    );
    expect(link.drop(frame(protocols.lcp, codes.configureAck, requestIdentifier, octets.subarray(4)))).toBe(
      'ack-differs',
    );
    expect(link.drop(lcp(codes.configureReject, requestIdentifier, [mruOption(9)]))).toBe('reject-differs');
    expect(link.drop(lcp(codes.configureReject, requestIdentifier, []))).toBe('malformed');
    expect(link.drop(lcp(codes.configureNak, requestIdentifier, []))).toBe('malformed');
  });

  test('a duplicate of the Configure-Ack does not bring the opened link down', () => {
    const { requestIdentifier, request } = ourRequest('lcp/1');
    lcpOpened();
    expect(link.drop(lcp(codes.configureAck, requestIdentifier, request))).toBe('stale-identifier');
  });
});

describe('LCP, opened', () => {
  const echoed = (data: Uint8Array) => link.take(frame(protocols.lcp, codes.echoRequest, 9, data));

  test('Echo-Reply with our Magic-Number, cut to the MRU of the peer (accel-ppp #205)', () => {
    lcpOpened([mruOption(600), MAGIC]);
    const rest = new Uint8Array(1_300).fill(7);
    const [reply] = sent(echoed(emitMagicData({ magic: 0x01020304, rest })), protocols.lcp);
    expect(reply).toMatchObject({ code: codes.echoReply, identifier: 9 });
    expect((reply?.data.length ?? 0) + 4).toBe(600);
  });

  test.each([0, 1, 3])('an Echo-Request with %i octets is malformed', (length) => {
    lcpOpened();
    expect(link.drop(frame(protocols.lcp, codes.echoRequest, 1, new Uint8Array(length)))).toBe('malformed');
  });

  test('our own Echo coming back is no sign of life', () => {
    lcpOpened();
    const ours =
      ourRequest('lcp/1').ours.find((option) => option.type === lcpOptions.magicNumber)?.data ?? hex('');
    expect(link.drop(frame(protocols.lcp, codes.echoReply, 1, ours))).toBe('looped');
    expect(link.drop(frame(protocols.lcp, codes.echoRequest, 1, ours))).toBe('looped');
  });

  test('Identification is recorded, an unknown code is rejected', () => {
    lcpOpened();
    const name = new TextEncoder().encode('MSRASV5.20');
    expect(
      sent(link.take(frame(protocols.lcp, codes.identification, 3, concat(MAGIC.data, name))), protocols.lcp),
    ).toEqual([]);
    expect(link.context<LinkContext>('link/1').identifications).toEqual(['MSRASV5.20']);
    const [reject] = sent(link.take(frame(protocols.lcp, 99, 3, hex('aa'))), protocols.lcp);
    expect(reject).toMatchObject({ code: codes.codeReject, data: hex('63030005aa') });
  });

  test.each([
    ['a Code-Reject of Echo-Request', codes.codeReject, '09', undefined],
    ['a Code-Reject of Configure-Request', codes.codeReject, '01', 'protocol-error'],
    ['a Protocol-Reject of LCP', codes.protocolReject, 'c021', 'protocol-error'],
    ['a Protocol-Reject of CHAP', codes.protocolReject, 'c223', 'authentication-failed'],
    ['a Protocol-Reject of CCP', codes.protocolReject, '80fd', undefined],
  ])('%s', (_name, code, data, reason) => {
    lcpOpened();
    link.take(frame(protocols.lcp, code, 1, hex(data)));
    expect(link.context<LinkContext>('link/1').ending?.reason).toBe(reason);
  });

  test('before the network phase other protocols are silently discarded', () => {
    expect(link.drop(frame(protocols.ccp, 1, 1, hex('')))).toBe('wrong-phase');
    lcpOpened();
    for (const protocol of [protocols.ccp, protocols.ipcp, protocols.ipv6cp, protocols.eap]) {
      expect(link.drop(frame(protocol, 1, 1, hex('')))).toBe('wrong-phase');
    }
  });
});

describe('authentication', () => {
  test.each([
    ['a Challenge', chapCodes.challenge, 'unexpected-challenge'],
    ['a Success nobody asked for (CVE-2015-8023)', chapCodes.success, 'unexpected-verdict'],
    ['a Failure', chapCodes.failure, 'unexpected-verdict'],
    ['a code that CHAP has not', 9, 'malformed'],
  ])('%s of the peer is discarded', (_name, code, reason) => {
    lcpOpened();
    expect(link.drop(frame(protocols.chap, code, 1, hex('0141')))).toBe(reason);
  });

  test('PAP is not taken where CHAP was agreed', () => {
    lcpOpened();
    const body = {
      type: 'pap.request',
      call: CALL,
      identifier: 1,
      peerId: hex('61'),
      sealedPassword: hex('00'),
    } as const;
    expect(link.drop(body)).toBe('method-not-agreed');
  });

  test('a Response of another size is malformed', () => {
    lcpOpened();
    const name = new TextEncoder().encode('alice');
    for (const size of [1, 16, 48, 50, 255]) {
      const data = emitChapValue({ value: new Uint8Array(size), name });
      expect(link.drop(frame(protocols.chap, chapCodes.response, 1, data))).toBe('malformed');
    }
    const long = emitChapValue({ value: new Uint8Array(49), name: new Uint8Array(300) });
    expect(link.drop(frame(protocols.chap, chapCodes.response, 1, long))).toBe('malformed');
  });

  test('our challenge reflected as the peer challenge is refused without asking anybody', () => {
    lcpOpened();
    const { challenge } = link.context<AuthContext>('auth/1');
    const effects = link.take(msChapResponse(challenge));
    expect(sent(effects, protocols.chap)).toMatchObject([{ code: chapCodes.failure }]);
    expect(effects.filter((effect) => effect.type === 'aaa.authenticate')).toEqual([]);
    expect(effects).toContainEqual(expect.objectContaining({ type: 'explain', level: 'warn' }));
  });

  test('each link has its own challenge', () => {
    lcpOpened();
    const { challenge } = link.context<AuthContext>('auth/1');
    const seed = link.seed;
    started();
    link.seed = seed;
    lcpOpened();
    expect(link.context<AuthContext>('auth/1').challenge).not.toEqual(challenge);
  });

  test('an answer for a link that is gone is late', () => {
    link.take({ type: 'link.stop', call: CALL, reason: 'session-ended' });
    expect(link.drop({ type: 'offered', call: CALL, methods: [] })).toBe('late-answer');
    expect(link.drop({ type: 'link.close', call: CALL, reason: 'operator' })).toBe('no-link');
    expect(Object.keys(link.state)).toEqual([]);
  });
});

describe('network phase', () => {
  const zero = hex('00000000');
  const ask = (identifier: number, ...wishes: readonly (readonly [number, Uint8Array])[]) =>
    sent(
      link.take(
        ipcp(
          codes.configureRequest,
          identifier,
          wishes.map(([type, data]) => ({ type, data })),
        ),
      ),
      protocols.ipcp,
    )[0];

  beforeEach(() => {
    lcpOpened();
    authenticated();
    leased();
  });

  test("Windows order: WINS rejected, addresses Nak'd, then acknowledged", () => {
    const { ipAddress, primaryDns, primaryNbns, secondaryDns, secondaryNbns } = ipcpOptions;
    const all = [
      [ipAddress, zero],
      [primaryDns, zero],
      [primaryNbns, zero],
      [secondaryDns, zero],
      [secondaryNbns, zero],
    ] as const;
    const rejected = ask(5, ...all);
    expect(rejected?.code).toBe(codes.configureReject);
    // One name server is configured, so a second one is not to be had either.
    expect(rejected?.options.map((option) => option.type)).toEqual([
      primaryNbns,
      secondaryDns,
      secondaryNbns,
    ]);
    expect(ask(6, [ipAddress, zero], [primaryDns, zero])).toMatchObject({
      code: codes.configureNak,
      options: [ipv4Option(ipAddress, ADDRESS), ipv4Option(primaryDns, DNS)],
    });
    expect(ask(7, [ipAddress, ADDRESS], [primaryDns, DNS])).toMatchObject({ code: codes.configureAck });
  });

  test.each([
    ['IP-Addresses', ipcpOptions.ipAddresses, '0a6200070a620001'],
    ['Van Jacobson compression', ipcpOptions.ipCompression, '002d0f01'],
    ['Mobile-IPv4', ipcpOptions.mobileIpv4, '0a620007'],
  ])('%s is rejected', (_name, type, data) => {
    expect(ask(1, [ipcpOptions.ipAddress, ADDRESS], [type, hex(data)])).toMatchObject({
      code: codes.configureReject,
      options: [{ type, data: hex(data) }],
    });
  });

  test.each([
    ['a wrong address', [[ipcpOptions.ipAddress, hex('c0a80001')]]],
    ['an address of three octets', [[ipcpOptions.ipAddress, hex('c0a800')]]],
    ['no address', []],
  ] as const)("%s is Nak'd, never rejected, and in the end the link is closed", (_name, wishes) => {
    for (let identifier = 0; identifier < 5; identifier += 1) {
      expect(ask(identifier, ...wishes)).toMatchObject({
        code: codes.configureNak,
        options: [ipv4Option(ipcpOptions.ipAddress, ADDRESS)],
      });
    }
    expect(ask(5, ...wishes)).toBeUndefined();
    expect(link.context<LinkContext>('link/1').ending?.reason).toBe('negotiation-failed');
  });

  test('our end is the gateway; after three refusals we do without an address', () => {
    const turnDown = () =>
      link.take(
        ipcp(codes.configureNak, ourRequest('ipcp/1').requestIdentifier, [ipv4Option(3, hex('01020304'))]),
      );
    for (let round = 0; round < 3; round += 1) {
      expect(ourRequest('ipcp/1').request).toEqual([ipv4Option(3, GATEWAY)]);
      turnDown();
    }
    turnDown();
    expect(ourRequest('ipcp/1').request).toEqual([]);
  });

  test("IPV6CP: zero and a collision are Nak'd with another identifier", () => {
    const ours = ourRequest('ipv6cp/1').request[0]?.data ?? hex('');
    for (const identifier of [hex('0000000000000000'), ours, hex('00')]) {
      const body = frame(
        protocols.ipv6cp,
        codes.configureRequest,
        1,
        optionsOctets([{ type: 1, data: identifier }]),
      );
      const [reply] = sent(link.take(body), protocols.ipv6cp);
      expect(reply?.code).toBe(codes.configureNak);
      expect(reply?.options[0]?.data).toHaveLength(8);
      expect(reply?.options[0]?.data).not.toEqual(ours);
    }
  });

  test('IPV6CP: a suggestion is taken, zero is not', () => {
    const turnDown = (data: string) =>
      link.take(
        frame(
          protocols.ipv6cp,
          codes.configureNak,
          ourRequest('ipv6cp/1').requestIdentifier,
          optionsOctets([{ type: 1, data: hex(data) }]),
        ),
      );
    turnDown('0000000000000009');
    expect(ourRequest('ipv6cp/1').request[0]?.data).toEqual(hex('0000000000000009'));
    turnDown('0000000000000000');
    expect(ourRequest('ipv6cp/1').request[0]?.data).not.toEqual(hex('0000000000000000'));
  });

  test('without an IPv6 prefix IPV6CP is unknown', () => {
    started();
    lcpOpened();
    authenticated();
    leased(false);
    const [reject] = sent(
      link.take(frame(protocols.ipv6cp, 1, 1, optionsOctets([{ type: 1, data: hex('0000000000000001') }]))),
      protocols.lcp,
    );
    expect(reject).toMatchObject({ code: codes.protocolReject });
    expect(reject?.data.subarray(0, 2)).toEqual(hex('8057'));
  });

  test.each([protocols.ccp, protocols.acsp, protocols.mplscp, protocols.eap, protocols.lqr])(
    'protocol %i is rejected, cut to the MRU of the peer, under a new Identifier each time',
    (protocol) => {
      const [first, second] = [1, 2].map(
        (id) => sent(link.take(frame(protocol, 1, id, new Uint8Array(1_480))), protocols.lcp)[0],
      );
      expect(first?.code).toBe(codes.protocolReject);
      expect((first?.data.length ?? 0) + 4).toBe(1400);
      expect(second?.identifier).not.toBe(first?.identifier);
    },
  );

  test('RFC 4861: advertised when IPV6CP opens, and to a host that solicits', () => {
    const body = frame(
      protocols.ipv6cp,
      codes.configureRequest,
      1,
      optionsOctets([{ type: 1, data: hex('0200000000000009') }]),
    );
    link.take(body);
    const opened = acknowledge('ipv6cp', protocols.ipv6cp);
    expect(
      opened.filter((effect) => effect.type === 'frame.send' && effect.protocol === protocols.ipv6),
    ).toHaveLength(1);
    const host = hex('fe80000000000000 0200000000000009');
    const solicitation = routerSolicitationPacket(host, hex('ff020000000000000000000000000002'));
    const answer = link.take({
      type: 'frame',
      call: CALL,
      protocol: protocols.ipv6,
      information: solicitation,
    });
    expect(answer).toMatchObject([{ type: 'frame.send', protocol: protocols.ipv6 }]);
    expect((answer[0] as { information: Uint8Array }).information.subarray(24, 40)).toEqual(host);
    const other = solicitation.slice();
    other[40] = 135;
    expect(link.drop({ type: 'frame', call: CALL, protocol: protocols.ipv6, information: other })).toBe(
      'ipv6-housekeeping',
    );
  });
});

describe('whatever a peer sends', () => {
  const protocol = fc.constantFrom(...Object.values(protocols), 0x0001, 0xffff);
  const body = fc.record({
    protocol,
    code: fc.integer({ min: 0, max: 16 }),
    identifier: fc.integer({ min: 0, max: 8 }),
    data: fc.uint8Array({ maxLength: 60 }),
  });

  test('nothing throws, and at most a few frames answer one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.array(body, { maxLength: 30 }), (progress, packets) => {
        started();
        if (progress > 0) lcpOpened();
        if (progress > 1) authenticated();
        if (progress > 2) leased();
        for (const packet of packets) {
          if (packet.protocol === protocols.pap) continue;
          const fact = frame(packet.protocol, packet.code, packet.identifier, packet.data);
          if (isDropped(link.classified(fact))) continue;
          const frames = link.take(fact).filter((effect) => effect.type === 'frame.send');
          expect(frames.length).toBeLessThanOrEqual(4);
        }
      }),
    );
  });

  test('raw octets of any length', () => {
    lcpOpened();
    fc.assert(
      fc.property(protocol, fc.uint8Array({ maxLength: 40 }), (number, information) => {
        link.classified({ type: 'frame', call: CALL, protocol: number, information });
      }),
    );
  });
});
