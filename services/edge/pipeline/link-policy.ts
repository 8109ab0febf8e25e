import type { OctetRate, PolicyRule } from '@culvert/contracts';
import type { Instant } from '@culvert/kernel';
import { invariant } from '@culvert/kernel';
import { contains, isIpv4, type Prefix, parsePrefix } from '@culvert/wire/ip';
import type { LinkRow, Meter } from './rows.ts';
import { fullBucket, take } from './token-bucket.ts';
import { portFits, portsOf, type UserPacket } from './user-packet.ts';

/** What one link's user may do: rules about the far end, and octets each way. */
export interface Rule {
  readonly permit: boolean;
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly prefix: Prefix;
  readonly fromPort: number;
  readonly toPort: number;
  readonly class: number;
}

/** For an entry that was checked. */
export function ruleOf(entry: PolicyRule): Rule {
  const prefix = parsePrefix(entry.prefix);
  invariant(prefix.ok, 'rule: not a prefix');
  return { ...entry, prefix: prefix.value, family: isIpv4(prefix.value.address) ? 4 : 6 };
}

/** The far end: where a client's packet goes, or where one for it comes from. */
export type FarEnd = 'destination' | 'source';

/** The packet's accounting class; undefined is a refusal. The first rule that matches decides. */
export function permitted(link: LinkRow, user: UserPacket, farEnd: FarEnd): number | undefined {
  if (link.rules === undefined) return 0;
  const address = user[farEnd];
  const port = portsOf(user)?.[farEnd];
  const rule = link.rules.find(
    (one) =>
      one.family === user.family &&
      (one.protocol === 0 || one.protocol === user.protocol) &&
      contains(one.prefix, address) &&
      portFits(one, port),
  );
  return rule?.permit === true ? rule.class : undefined;
}

/** A link that is declared again with the same rate has what it had left. */
export function meterOf(rate: OctetRate, before: Meter | undefined, at: Instant): Meter {
  const now = { perSecond: rate.octetsPerSecond, burst: rate.burstOctets };
  const same = before?.rate.perSecond === now.perSecond && before.rate.burst === now.burst;
  return same ? before : { rate: now, bucket: fullBucket(now, at) };
}

/** Whether a packet may pass a link's meter; without one it may. */
export function passes(meter: Meter | undefined, octets: number, at: Instant): boolean {
  return meter === undefined || take(meter.bucket, meter.rate, at, octets);
}
