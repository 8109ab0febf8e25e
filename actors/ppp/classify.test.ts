import { concat, hex } from '@culvert/wire';
import {
  authenticationProtocolOption,
  type CpOption,
  chapCodes,
  codes,
  emitChapValue,
  emitMagicData,
  lcpOptions,
  magicNumberOption,
  mruOption,
  optionsOctets,
  protocols,
} from '@culvert/wire/ppp';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  authenticated,
  CALL,
  frame,
  lcp,
  lcpOpened,
  leased,
  link,
  MAGIC,
  msChapResponse,
  ourRequest,
  sent,
  started,
} from '../../test/exchange/ppp/by-hand.ts';
import type { AuthContext } from './auth/actions.ts';
import { isDropped } from './dropped.ts';
import type { PppEffect } from './effects.ts';
import type { LinkContext } from './link/context.ts';

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
