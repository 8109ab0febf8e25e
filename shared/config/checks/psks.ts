import type { Secret } from '@culvert/crypto';
import { contains, prefixOf } from '../prefix.ts';
import { pskWeakness } from '../psk.ts';
import { type Parts, present, type Report } from './parts.ts';

/** Each candidate costs one decryption of Main Mode message 5, for anybody who sends one. */
export const CANDIDATES_MAX = 4;

export function checkPsks(parts: Parts, report: Report, secrets: ReadonlyMap<string, Secret>): void {
  checkNames(parts, report);
  checkKeys(parts, report, secrets);
  checkCandidates(parts, report);
}

function checkNames({ psks, listen }: Parts, report: Report): void {
  const listeners = listen.map((listener) => listener?.name);
  const names = new Map<string, number>();
  for (const [index, psk] of present(psks)) {
    const first = names.get(psk.name);
    if (first !== undefined)
      report(['psks', index, 'name'], `is also the name of psks[${first}]`, 'give every PSK its own name');
    names.set(psk.name, first ?? index);
    for (const [place, name] of psk.listeners.entries()) {
      if (listeners.includes(name) || listeners.includes(undefined)) continue;
      report(
        ['psks', index, 'listeners', place],
        'is not a listener',
        `write one of: ${listeners.join(', ')}`,
      );
    }
  }
}

function checkKeys({ psks }: Parts, report: Report, secrets: ReadonlyMap<string, Secret>): void {
  const seen: { readonly index: number; readonly secret: Secret }[] = [];
  for (const index of psks.keys()) {
    const secret = secrets.get(`psks[${index}].secret`);
    if (secret === undefined) continue;
    const weakness = pskWeakness(secret);
    if (weakness !== undefined)
      report(['psks', index, 'secret'], weakness, 'make one with `culvert psk new`');
    const same = seen.find((other) => other.secret.equals(secret));
    if (same !== undefined) {
      report(
        ['psks', index, 'secret'],
        `is the key of psks[${same.index}] too`,
        'remove one, or list both remotes in one',
      );
    }
    seen.push({ index, secret });
  }
}

/** Main Mode knows listener and source address and nothing more when it needs the key (RFC 2409 §5.4). */
function checkCandidates({ psks, listen }: Parts, report: Report): void {
  const everywhere = ['0.0.0.0/0', '::/0'];
  const readable = [...present(psks)].map(([index, psk]) => ({
    index,
    listeners: psk.listeners,
    remotes: (psk.remotes.length > 0 ? psk.remotes : everywhere).map((text) => ({
      text,
      prefix: prefixOf(text),
    })),
  }));
  for (const [, listener] of present(listen)) {
    const here = readable.filter(
      (psk) => psk.listeners.length === 0 || psk.listeners.includes(listener.name),
    );
    const reported = new Set<number>();
    for (const { text, prefix } of here.flatMap((psk) => psk.remotes)) {
      const candidates = here.filter((psk) => psk.remotes.some((remote) => contains(remote.prefix, prefix)));
      const excess = candidates[CANDIDATES_MAX];
      if (excess === undefined || reported.has(excess.index)) continue;
      reported.add(excess.index);
      report(
        ['psks', excess.index],
        `is candidate number ${CANDIDATES_MAX + 1} for clients from ${text} on listener ${listener.name}`,
        `leave at most ${CANDIDATES_MAX}: narrow remotes or listeners, or end a rotation`,
      );
    }
  }
}
