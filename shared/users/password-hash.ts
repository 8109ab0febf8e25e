import { argon2 } from 'node:crypto';
import { constantTimeEqual, secretRandom } from '@culvert/crypto';

/**
 * argon2id (RFC 9106) with 19 MiB, two passes and one lane, about 40 ms in libuv's thread pool. The text
 * form is the PHC string `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` that other tools read too.
 */
interface Cost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

const COST: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const SALT_OCTETS = 16;
const TAG_OCTETS = 32;
/** What a users file may ask of us for one login. */
const MOST: Cost = { memory: 262_144, passes: 10, parallelism: 4 };

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{16,86})$/;

export async function hashPassword(password: string): Promise<string> {
  const salt = secretRandom(SALT_OCTETS);
  const tag = await derive(password, salt, COST, TAG_OCTETS);
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${base64(salt)}$${base64(tag)}`;
}

export async function verifyPassword(password: string, phc: string): Promise<boolean> {
  const known = parsePhc(phc);
  if (known === undefined) return false;
  return constantTimeEqual(await derive(password, known.salt, known.cost, known.tag.length), known.tag);
}

export function isPasswordHash(phc: string): boolean {
  return parsePhc(phc) !== undefined;
}

/** As costly as verifying a hash of ours and always false: for users that do not exist. */
export async function verifyNothing(password: string): Promise<false> {
  await derive(password, NOBODY, COST, TAG_OCTETS);
  return false;
}

const NOBODY = secretRandom(SALT_OCTETS);

interface ParsedHash {
  readonly cost: Cost;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

function parsePhc(phc: string): ParsedHash | undefined {
  const [, m, t, p, salt, tag] = PHC.exec(phc) ?? [];
  if (salt === undefined || tag === undefined) return undefined;
  const cost = { memory: Number(m), passes: Number(t), parallelism: Number(p) };
  const allowed =
    cost.passes >= 1 &&
    cost.passes <= MOST.passes &&
    cost.parallelism >= 1 &&
    cost.parallelism <= MOST.parallelism &&
    cost.memory >= 8 * cost.parallelism &&
    cost.memory <= MOST.memory;
  if (!allowed) return undefined;
  return {
    cost,
    salt: Uint8Array.from(Buffer.from(salt, 'base64')),
    tag: Uint8Array.from(Buffer.from(tag, 'base64')),
  };
}

function derive(password: string, salt: Uint8Array, cost: Cost, octets: number): Promise<Uint8Array> {
  const message = new TextEncoder().encode(password);
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message, nonce: salt, tagLength: octets, ...cost }, (error, tag) => {
      message.fill(0);
      if (error === null) resolve(tag);
      else reject(error);
    });
  });
}

/** PHC strings leave the padding out. */
function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64').replaceAll('=', '');
}
