import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isPasswordHash } from './password-hash.ts';

export const USERS_MAX = 100_000;
export const PASSWORD_CHARACTERS_MAX = 256;

/** RFC 1661 and its authentication protocols carry names as octets; control characters only confuse logs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const USER_NAME = /^[^\u0000-\u001f\u007f-\u009f]{1,128}$/u;

export function isUserName(name: string): boolean {
  return USER_NAME.test(name) && name.isWellFormed();
}

export function isIpv4(address: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(address);
}

const sealed = z
  .string()
  .regex(/^[A-Za-z0-9+/]{64,1024}={0,2}$/, 'is not a sealed value; set the password again');

/** One user as the file holds it. No secret stands in it in the clear. */
export const userEntry = z.strictObject({
  name: z.string().refine(isUserName, 'use 1 to 128 characters, no control characters'),
  /** argon2id of the password, for PAP. */
  password: z.string().refine(isPasswordHash, 'is not an argon2id hash; set it with: culvert user add'),
  /** RFC 2759 §8.3 NtPasswordHash, sealed for this user, for MS-CHAPv2. */
  ntHash: sealed,
  /** The password itself, sealed for this user; only where CHAP-MD5 was asked for (RFC 1994 §2.1). */
  chapSecret: sealed.optional(),
  ipv4: z.string().refine(isIpv4, 'write an IPv4 address such as 10.98.0.50').optional(),
  sessionTimeoutSeconds: z.number().int().min(60).max(31_536_000).optional(),
  disabled: z.boolean().optional(),
});

export type UserEntry = z.output<typeof userEntry>;

export const usersDocument = z.strictObject({
  version: z.literal(1),
  users: z.array(userEntry).max(USERS_MAX),
});

export type UsersDocument = z.output<typeof usersDocument>;
