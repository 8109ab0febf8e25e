import { hex } from '@culvert/wire';
import { routerSolicitationPacket } from '@culvert/wire/ip';
import { codes, ipcpOptions, ipv4Option, optionsOctets, protocols } from '@culvert/wire/ppp';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  ADDRESS,
  acknowledge,
  authenticated,
  CALL,
  DNS,
  frame,
  GATEWAY,
  ipcp,
  lcpOpened,
  leased,
  link,
  ourRequest,
  sent,
  started,
} from '../../test/exchange/ppp/by-hand.ts';
import type { LinkContext } from './link/context.ts';

beforeEach(started);

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
