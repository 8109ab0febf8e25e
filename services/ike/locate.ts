import type { Config } from '@culvert/config';
import type { IkePacket } from '@culvert/contracts';
import type { Dropped, EntropySource } from '@culvert/host';
import { exposed } from '@culvert/kernel';
import { toHex } from '@culvert/wire';
import { EXCHANGE, isFragment, isZeroCookie, parseIsakmpHeader } from '@culvert/wire/ike';
import { sourceKey } from './addresses.ts';
import { type Directory, foundingKey } from './directory.ts';
import type { IkeInput } from './inputs.ts';
import { EARLY_DROP_FROM } from './limits.ts';

type Located = { readonly session: string; readonly create: boolean } | Dropped;

interface Locating {
  readonly directory: Directory;
  readonly config: Config;
  readonly entropy: EntropySource;
  readonly exists: (session: string) => boolean;
}

/** The session an input belongs to: by our cookie, or for a first message by who sent it. */
export function locate(input: IkeInput, on: Locating): Located {
  switch (input.type) {
    case 'packet':
      return locatePacket(input.packet, input.shard, on);
    case 'admitted':
      return { session: on.directory.joined.get(input.isakmpSa) ?? input.isakmpSa, create: false };
    default:
      return { session: input.session, create: false };
  }
}

function locatePacket(packet: IkePacket, shard: number, on: Locating): Located {
  const parsed = parseIsakmpHeader(packet.octets);
  if (!parsed.ok) return { drop: `malformed-${parsed.reason}` };
  const header = parsed.value;
  if (header.majorVersion === 2) return { drop: 'ike-v2' };
  if (header.majorVersion !== 1) return { drop: 'malformed-bad-version' };
  if (isZeroCookie(header.initiatorCookie)) return { drop: 'zero-cookie' };
  if (!isZeroCookie(header.responderCookie)) {
    const cookie = toHex(header.responderCookie);
    const session = on.directory.joined.get(cookie) ?? cookie;
    // Reliability S-7: an unknown cookie gets silence.
    return on.exists(session) ? { session, create: false } : { drop: 'unknown-cookie' };
  }
  if (isFragment(header)) return { drop: 'fragment-before-cookies' };
  if (header.exchange !== EXCHANGE.identityProtection && header.exchange !== EXCHANGE.aggressive) {
    return {
      drop: header.exchange === EXCHANGE.informational ? 'unprotected-informational' : 'unexpected-exchange',
    };
  }
  const known = on.directory.founding.get(foundingKey(toHex(header.initiatorCookie), packet.flow));
  if (known !== undefined && on.exists(known)) return { session: known, create: false };
  return refusal(packet, on) ?? { session: newCookie(shard, on), create: true };
}

/** Reliability S-4: bounds on what the unauthenticated may hold, with random early drop below the hard one. */
function refusal(packet: IkePacket, { directory, config, entropy }: Locating): Dropped | undefined {
  const { halfOpenMax, halfOpenPerSourceMax } = config.ike;
  const source = sourceKey(packet.flow.remote.address);
  if ((directory.halfOpenBySource.get(source) ?? 0) >= halfOpenPerSourceMax)
    return { drop: 'half-open-source-limit' };
  const share = directory.halfOpen.size / halfOpenMax;
  if (share >= 1) return { drop: 'half-open-limit' };
  const chance = (share - EARLY_DROP_FROM) / (1 - EARLY_DROP_FROM);
  if (chance > 0 && (exposed(entropy.seed(), 0, 1)[0] ?? 0) < chance * 256)
    return { drop: 'half-open-early-drop' };
  return undefined;
}

/** Our cookie: the shard in its high ten bits, the rest random and new. It names the session. */
function newCookie(shard: number, { entropy, exists }: Locating): string {
  for (;;) {
    const cookie = exposed(entropy.seed(), 0, 8);
    cookie[0] = shard >>> 2;
    cookie[1] = ((shard & 0x03) << 6) | ((cookie[1] ?? 0) & 0x3f);
    const name = toHex(cookie);
    if (!isZeroCookie(cookie) && !exists(name)) return name;
  }
}
