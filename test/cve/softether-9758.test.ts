import { ConfigFaults, parseConfig } from '@culvert/config';
import { describe, expect, test } from 'vitest';

/**
 * SoftEther build 9758 (2021): gateways with the pre-shared key of the manual, "vpn", were attacked country
 * by country. Such a key does not start here; a scan of SPIs costs the scanner a packet each and us no
 * memory (softether-2024-38520).
 */
const yaml = (secret: string) =>
  `node: gw1\nstateDir: /nonexistent\npsks: [{ name: office, secret: ${JSON.stringify(secret)} }]\n`;

describe('a key that stands in a manual or a word list, or is short', () => {
  const KEYS = [
    '',
    'vpn',
    'VPN',
    'psk',
    'secret',
    'password',
    'test',
    'cisco',
    'l2tp',
    'ipsec',
    'changeme',
    '123456',
  ];
  test.each([...KEYS, 'vpnvpnvpnvpnvpnvpnvpnvpn', 'a'.repeat(64), '0123456789', 'password123', 'qwertyuiop'])(
    '%j is refused',
    (secret) => {
      expect(() => parseConfig(yaml(secret), '/nonexistent')).toThrow(ConfigFaults);
    },
  );

  test('and the refusal does not repeat it', () => {
    try {
      parseConfig(yaml('Tr0ub4dor&3'), '/nonexistent');
      expect.fail('taken');
    } catch (error) {
      expect(String(error)).not.toContain('Tr0ub4dor');
    }
  });

  test('a random one of 32 characters is taken', () => {
    expect(parseConfig(yaml('k7Qw2ZtR9vLx4NbY6mHc8JfD3sGp5AeU'), '/nonexistent').psks).toHaveLength(1);
  });
});
