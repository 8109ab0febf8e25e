import { readFileSync } from 'node:fs';
import { type BackendName, nativeCrypto } from '../../../services/edge/native/crypto-face.ts';
import { until } from './command.ts';
import type { Gateway } from './gateway.ts';

/** `edge.cipher` of the configuration: the best there is, or the one that is everywhere. */
export type Cipher = 'auto' | 'openssl';

/** Files share the ciphers among them; CULVERT_INTEROP_CIPHER gives all of them the same. */
export function cipherOf(usual: Cipher): Cipher {
  const all = process.env.CULVERT_INTEROP_CIPHER;
  if (all === undefined) return usual;
  if (all !== 'auto' && all !== 'openssl') throw new Error(`CULVERT_INTEROP_CIPHER is ${all}`);
  return all;
}

/** What `auto` comes to depends on the machine: the first that is built in and gives the right answers. */
export function expectedOf(cipher: Cipher): BackendName {
  if (cipher === 'openssl') return cipher;
  const best = nativeCrypto()
    .cryptoBackends()
    .find(({ usable }) => usable);
  if (best === undefined) throw new Error('no cipher is usable here');
  return best.name;
}

/** The ciphers that the engines say they run with. */
export function ciphersOf(gateway: Gateway): Promise<readonly string[]> {
  return until('the packet engines', 10_000, async () => {
    const lines = readFileSync(gateway.log, 'utf8').split('\n');
    const told = lines.filter((line) => line.includes('a packet engine is running'));
    const ciphers = told.map((line) => (JSON.parse(line) as { readonly cipher: string }).cipher);
    return ciphers.length === 0 ? undefined : ciphers;
  });
}
