import { concat } from '@culvert/wire';
import {
  chapCodes,
  codes,
  eapCodes,
  emitPapMessage,
  ipcpOptions,
  ipv4Option,
  optionsOctets,
  papCodes,
  protocols,
} from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import { inWorld } from '../sim/index.ts';
import { afterFrames, expectUnharmed, packetOctets } from './ppp-stage.ts';

/**
 * CVE-2021-45079 and CVE-2015-8023, authentication bypass: a verdict in the wrong state, or from the wrong
 * side, was believed. The client tells us that it has succeeded, by each protocol, at each step.
 */
const text = (message: string) => new TextEncoder().encode(message);
const SUCCESS = text(`S=${'0'.repeat(40)} M=Welcome`);
const address = optionsOctets([ipv4Option(ipcpOptions.ipAddress, Uint8Array.of(10, 98, 0, 9))]);

function verdicts(identifier: number): Uint8Array[] {
  const { chap, pap, eap, ipcp, ipv6cp } = protocols;
  return [
    packetOctets(chap, chapCodes.success, identifier, SUCCESS),
    packetOctets(chap, chapCodes.failure, identifier, text('E=691 R=1')),
    packetOctets(chap, chapCodes.challenge, identifier, concat(Uint8Array.of(16), new Uint8Array(16))),
    packetOctets(pap, papCodes.authenticateAck, identifier, emitPapMessage(text('Welcome'))),
    packetOctets(pap, papCodes.authenticateNak, identifier, emitPapMessage(text('No'))),
    packetOctets(eap, eapCodes.success, identifier, new Uint8Array(0)),
    packetOctets(eap, eapCodes.response, identifier, Uint8Array.of(1, 0x61)),
    packetOctets(ipcp, codes.configureRequest, identifier, address),
    packetOctets(ipcp, codes.configureAck, identifier, address),
    packetOctets(ipv6cp, codes.configureRequest, identifier, new Uint8Array(0)),
  ];
}

const BELIEVED = /<-- (IPCP Configure|IPV6CP Configure|CHAP Success|PAP Authenticate-Ack)/;

describe.each(['ms-chap-v2', 'chap-md5', 'pap'] as const)('%s', (method) => {
  test.each([0, 1, 2, 3, 4])('after %i frames of a client that does not know the password', (frames) =>
    inWorld({ seed: 700 + frames }, async (world) => {
      const options = { user: 'carol', password: 'wrong', profile: { auth: [method] } };
      const { scene, inject } = await afterFrames(world, frames, options);
      for (let identifier = 0; identifier < 8; identifier += 1) {
        for (const octets of verdicts(identifier)) inject(octets);
        await world.run(5);
      }
      await world.run(1_000);
      expect(scene.wire.filter((line) => BELIEVED.test(line))).toEqual([]);
      expectUnharmed(scene);
    }),
  );

  test('in between, a client that knows it still gets in', () =>
    inWorld({ seed: 710 }, async (world) => {
      const options = { user: 'carol', profile: { auth: [method] } };
      const { dialled, inject, scene, release } = await afterFrames(world, 2, options);
      for (const octets of verdicts(1)) inject(octets);
      release();
      await world.run(20_000);
      expect(dialled.client.networkUp).toBe(true);
      expectUnharmed(scene);
    }));
});
