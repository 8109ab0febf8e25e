import { ID_TYPE } from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import { identityOf } from './identity.ts';

const id = (idType: number, data: Uint8Array) =>
  identityOf({ kind: 'ID', idType, ipProtocol: 0, port: 0, data }).text;
const text = (value: string) => new TextEncoder().encode(value);

test('identities as text', () => {
  expect(id(ID_TYPE.ID_IPV4_ADDR, Uint8Array.of(10, 0, 0, 1))).toBe('10.0.0.1');
  expect(id(ID_TYPE.ID_IPV6_ADDR, new Uint8Array(16))).toBe('0000:0000:0000:0000:0000:0000:0000:0000');
  expect(id(ID_TYPE.ID_FQDN, text('host.example'))).toBe('host.example');
  expect(id(ID_TYPE.ID_USER_FQDN, text('a@host.example'))).toBe('a@host.example');
  expect(id(ID_TYPE.ID_KEY_ID, Uint8Array.of(1, 2))).toBe('0x0102');
});

test('CVE-2023-28771: what could mean something to a terminal or a shell becomes digits', () => {
  for (const hostile of [
    '$(reboot)',
    '`id`',
    'a;b',
    'a\nb',
    '\u001b[2J',
    'a b',
    '',
    "'",
    '"',
    '%n',
    '\u00e9',
  ]) {
    expect(id(ID_TYPE.ID_FQDN, text(hostile))).toMatch(/^0x[0-9a-f]*$/);
  }
});
