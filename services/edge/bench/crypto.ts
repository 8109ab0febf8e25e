import { type BackendState, nativeCrypto } from '../native/crypto-face.ts';
import { type CryptoRow, spread } from './result.ts';
import { SUITES, type Suite } from './sessions.ts';

/** A voice packet, a middling one, and as much as fits through a tunnel on Ethernet. */
export const CRYPTO_OCTETS: readonly number[] = [64, 512, 1_400];
/** As many as the engine seals in one go when it is busy. */
const BATCH = 32;

export function backends(): readonly BackendState[] {
  return nativeCrypto().cryptoBackends();
}

/** The ciphers alone, on one processor: no packet of any engine can be faster. */
export function measureCrypto(suites: readonly Suite[], runs: number, milliseconds: number): CryptoRow[] {
  const crypto = nativeCrypto();
  const usable = crypto.cryptoBackends().filter((backend) => backend.usable);
  return suites.flatMap((suite) =>
    usable.flatMap(({ name }) =>
      CRYPTO_OCTETS.map((octets) => {
        const once = () => crypto.cryptoRates(name, SUITES[suite], octets, BATCH, milliseconds);
        const rates = Array.from({ length: runs }, once);
        const median = (values: readonly number[]) => spread(values).median * octets * 8;
        return {
          suite,
          backend: name,
          octets,
          sealBitsPerSecond: median(rates.map(({ sealPerSecond }) => sealPerSecond)),
          openBitsPerSecond: median(rates.map(({ openPerSecond }) => openPerSecond)),
        };
      }),
    ),
  );
}
