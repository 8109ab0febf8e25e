import type { UserConfig } from '@culvert/config';
import { isUsable, ntPasswordHash, Secret } from '@culvert/crypto';
import type { Sealer } from '@culvert/host';
import {
  type UserEntry,
  type UsersFault,
  userSecretPlace,
  verifyNothing,
  verifyPassword,
} from '@culvert/users';

/** A user as logins are checked against; secrets are opaque. */
export interface Account {
  readonly name: string;
  readonly ntHash: Secret;
  /** Only where CHAP-MD5 was asked for. */
  readonly chapSecret?: Secret;
  readonly ipv4?: string;
  readonly sessionTimeoutMs?: number;
  readonly disabled: boolean;
  /** One argon2id evaluation long, whatever the outcome. */
  hasPassword(password: string): Promise<boolean>;
}

/** A user that stands in the configuration, with the password at hand. */
export function configAccount(user: UserConfig): Account {
  const { name, password, chap, ipv4, sessionTimeoutSeconds } = user;
  const text = new TextDecoder().decode(password.expose());
  return {
    name,
    // Without MD4 nobody is offered MS-CHAPv2; the others log in all the same.
    ntHash: isUsable('md4') ? new Secret(ntPasswordHash(text)) : Secret.random(16),
    ...(chap ? { chapSecret: password } : {}),
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(sessionTimeoutSeconds === undefined ? {} : { sessionTimeoutMs: sessionTimeoutSeconds * 1000 }),
    disabled: false,
    async hasPassword(given) {
      // The time of a hash is spent all the same: it must not tell where a user is kept.
      await verifyNothing(given);
      return password.equals(new TextEncoder().encode(given));
    },
  };
}

/** A user of the users file, or why its secrets do not open. */
export function fileAccount(sealer: Sealer, user: UserEntry, field: string): Account | UsersFault {
  const { name, password, ipv4, sessionTimeoutSeconds, disabled } = user;
  try {
    const ntHash = opened(sealer, userSecretPlace(name, 'nt-hash'), user.ntHash);
    const chapSecret =
      user.chapSecret === undefined
        ? undefined
        : opened(sealer, userSecretPlace(name, 'chap-secret'), user.chapSecret);
    return {
      name,
      ntHash,
      ...(chapSecret === undefined ? {} : { chapSecret }),
      ...(ipv4 === undefined ? {} : { ipv4 }),
      ...(sessionTimeoutSeconds === undefined ? {} : { sessionTimeoutMs: sessionTimeoutSeconds * 1000 }),
      disabled: disabled ?? false,
      hasPassword: (given) => verifyPassword(given, password),
    };
  } catch {
    return {
      field,
      problem: 'was sealed for another user or under another cluster key',
      remedy: 'restore the key file, or set the password again: culvert user add',
    };
  }
}

/** Stands in for a user that does not exist, so that refusing one takes the same work. */
export function nobody(): Account {
  return {
    name: '',
    ntHash: Secret.random(16),
    chapSecret: Secret.random(16),
    disabled: false,
    hasPassword: verifyNothing,
  };
}

function opened(sealer: Sealer, place: string, base64: string): Secret {
  const octets = sealer.open(place, Uint8Array.from(Buffer.from(base64, 'base64')));
  const secret = new Secret(octets);
  octets.fill(0);
  return secret;
}

/** RFC 2759 §8.2: a peer may send `DOMAIN\user`; the domain is no part of the user's name. */
export function withoutDomain(name: string): string {
  return name.slice(name.lastIndexOf('\\') + 1);
}
