import type { Report } from '@culvert/actors-ike';
import type { Performing } from '@culvert/host';
import type { Telemetry } from '@culvert/telemetry';
import type { IkeVault } from './vault.ts';

/** What an operator has to act on stands out. */
const LEVELS: Readonly<Record<Report['what'], 'debug' | 'info' | 'warn'>> = {
  'negotiation refused': 'warn',
  'PSK mismatch likely': 'warn',
  'key exchange refused': 'warn',
  'half-open expired': 'debug',
  'isakmp sa established': 'info',
  'isakmp sa deleted': 'info',
  'isakmp sa expired': 'info',
  'peer silent': 'warn',
  'ipsec sa established': 'info',
  'ipsec sa deleted': 'info',
  'ipsec sa expired': 'info',
  'session ended': 'info',
};

/** One line and one count. The fields come from registries and numbers, never from raw octets of the peer. */
export function writeReport(
  telemetry: Telemetry,
  { what, fields }: Report,
  { session, trace }: Performing<IkeVault>,
): void {
  telemetry.count('culvert.ike.reports', { what: what.toLowerCase().replaceAll(' ', '-') });
  const traceId = trace.split('-')[1] ?? '';
  telemetry.log[LEVELS[what]]({ session, traceId, ...fields }, what);
}
