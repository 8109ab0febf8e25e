import type { FirstRun } from './first-run.ts';
import { isPrivate } from './surroundings.ts';

/** How to connect, for a phone or a laptop: printed once, after the first start. */
export function welcomeText(made: FirstRun, addresses: readonly string[]): string {
  const [likeliest = 'an address of this machine', ...others] = addresses;
  const rows: readonly (readonly [string, string])[] = [
    ['Server', likeliest],
    ...(others.length > 0 ? ([['  or', others.join(', ')]] as const) : []),
    ['Type', 'L2TP/IPsec with pre-shared key'],
    ['Shared key', made.psk],
    ['User', made.user],
    ['Password', made.password],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const ipv4 = addresses.filter((address) => !address.includes(':'));
  const behindNat = ipv4.length > 0 && ipv4.every(isPrivate);
  return [
    '',
    'Connect a phone or a laptop with',
    '',
    ...rows.map(([label, value]) => `  ${label.padEnd(width)}${value}`),
    '',
    'Leave a group name or IPsec identifier empty.',
    ...(addresses.length === 0 ? ['This machine has no address that a client could dial yet.'] : []),
    ...(behindNat
      ? [
          'This machine has private addresses only: from elsewhere, dial the public address of its router and let the',
          'router pass UDP 500 and 4500 on to it.',
        ]
      : []),
    `These settings are kept in ${made.configFile} and beside it. More users: culvert user add NAME`,
    '',
  ].join('\n');
}
