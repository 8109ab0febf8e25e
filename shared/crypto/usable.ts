/** Every algorithm that has a known-answer test. */
export type Algorithm =
  | 'sha1'
  | 'sha2-256'
  | 'sha2-384'
  | 'sha2-512'
  | 'hmac-sha1'
  | 'hmac-sha2-256'
  | 'hmac-sha2-384'
  | 'hmac-sha2-512'
  | 'aes-cbc-128'
  | 'aes-cbc-192'
  | 'aes-cbc-256'
  | '3des-cbc'
  | 'aes-gcm-128'
  | 'aes-gcm-256'
  | 'hkdf-sha2-256'
  | 'md4'
  | 'md5'
  | 'des'
  | `group-${2 | 5 | 14 | 15 | 16 | 19 | 20 | 21}`;

/** An algorithm gave a wrong known answer at start; whoever asks for it is refused. */
export class AlgorithmRefused extends Error {
  override readonly name = 'AlgorithmRefused';
  readonly algorithm: Algorithm;
  constructor(algorithm: Algorithm) {
    super(`${algorithm} failed its known-answer test and is not used`);
    this.algorithm = algorithm;
  }
}

const refused = new Set<Algorithm>();

export function refuse(algorithm: Algorithm): void {
  refused.add(algorithm);
}

export function isUsable(algorithm: Algorithm): boolean {
  return !refused.has(algorithm);
}

/** Called by every wrapper before it computes. */
export function requireUsable(algorithm: Algorithm): void {
  if (refused.size > 0 && refused.has(algorithm)) throw new AlgorithmRefused(algorithm);
}
