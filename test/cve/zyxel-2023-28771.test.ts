import { identityOf } from '@culvert/actors-ike';
import { toHex } from '@culvert/wire';
import { ID_TYPE } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { modern, type PeerProfile } from '../peer/profile.ts';
import { dialIn, simClient } from '../scenario/dial-in.ts';
import { type SimGateway, simGateway } from '../scenario/gateway.ts';
import { inWorld } from '../sim/index.ts';
import { expectUnharmed } from './gateway-stage.ts';

/**
 * CVE-2023-28771, command injection: what a peer had sent reached a shell by way of a log line. There is no
 * shell here; and no string of a peer reaches a line, a span or a counter with characters that would mean
 * something to a terminal, a shell or a reader of logs.
 */
const EVIL = [
  ';reboot;',
  '$(reboot)',
  '`reboot`',
  'a\nlevel=error msg=forged',
  'a\r\n\r\nforged',
  '\u001b[2J\u001b]0;owned\u0007',
  '"},{"level":"error"',
  '%n%s%x',
  '\u0000nul',
  '\u009b31m',
  '\u202egnp.exe',
  `${'x'.repeat(240)}\n`,
];

/** Every string that telemetry holds. */
function strings(gateway: SimGateway): string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === 'string') found.push(value);
    else if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      found.push(...Object.keys(value));
      Object.values(value).forEach(walk);
    }
  };
  for (const { telemetry } of Object.values(gateway.runtimes)) {
    walk([telemetry.lines, telemetry.spans, Object.keys(telemetry.counters())]);
  }
  return found;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/;
const SHELL = /\$\(|`|;reboot/;

function clean(gateway: SimGateway): void {
  const all = strings(gateway);
  expect(all.length).toBeGreaterThan(20);
  expect(all.filter((text) => CONTROL.test(text))).toEqual([]);
  expect(all.filter((text) => SHELL.test(text))).toEqual([]);
  expect(all.filter((text) => text.length > 2_200)).toEqual([]);
}

const named = (text: string, auth: PeerProfile['ppp']['auth']): PeerProfile => ({
  ...modern,
  // The L2TP Host Name.
  name: text,
  ike: { ...modern.ike, vendorIds: [...modern.ike.vendorIds, toHex(new TextEncoder().encode(text))] },
  ppp: { ...modern.ppp, auth, identification: [text, text] },
});

describe('strings of peers', () => {
  test('names, Host Name, Vendor IDs, Identification', () =>
    inWorld({ seed: 840 }, async (world) => {
      const gateway = await simGateway(world);
      const dialled = EVIL.map((text, index) => {
        const profile = named(text, [index % 3 === 0 ? 'pap' : 'ms-chap-v2']);
        const one = simClient(world, { address: `198.51.100.${index + 1}`, profile, user: text });
        one.client.dial();
        return one;
      });
      const profile = named('$(reboot)\n', ['ms-chap-v2']);
      const { client } = await dialIn(world, { address: '198.51.100.99', profile });
      expect(client.up).toBe(true);
      client.hangUp();
      await world.run(20_000);
      expect(dialled.map((one) => [one.client.up, one.client.ended !== undefined])).toEqual(
        EVIL.map(() => [false, true]),
      );
      clean(gateway);
      expectUnharmed(world, gateway);
    }));

  test('identities of every type', () => {
    for (const text of EVIL) {
      for (const idType of [...Object.values(ID_TYPE), 0, 255]) {
        const data = new TextEncoder().encode(text);
        const shown = identityOf({ kind: 'ID', idType, ipProtocol: 0, port: 0, data }).text;
        expect(shown).toMatch(/^[A-Za-z0-9._@+:-]*$/);
      }
    }
  });
});
