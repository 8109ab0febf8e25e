import type { AuthQuestion, LeaseQuestion, LeaseRelease } from '@culvert/contracts';
import { z } from 'zod';

/** What arrives over the bus is checked like any other input, whoever is allowed to send it. */
const session = z.string().regex(/^[0-9a-f]{16}$/);
const id = z.string().min(1).max(256);
const call = z.number().int().min(0).max(0xffff);
const octets = (min: number, max: number) =>
  z.instanceof(Uint8Array).refine((value) => value.length >= min && value.length <= max);

/** Lengths inside a proof are the peer's doing: they are judged as a wrong answer, not as a bad question. */
const proof = z.discriminatedUnion('method', [
  z.object({ method: z.literal('pap'), sealedPassword: octets(0, 1024) }),
  z.object({
    method: z.literal('chap-md5'),
    identifier: z.number().int().min(0).max(255),
    challenge: octets(0, 255),
    response: octets(0, 255),
  }),
  z.object({
    method: z.literal('ms-chap-v2'),
    authenticatorChallenge: octets(0, 255),
    peerChallenge: octets(0, 255),
    ntResponse: octets(0, 255),
  }),
]);

const authQuestion = z.object({
  id,
  session,
  callingStation: z.string().max(128),
  user: z.string().max(1024),
  proof,
});

const leaseQuestion = z.object({
  id,
  session,
  call,
  user: z.string().max(1024),
  wanted: z.string().max(64).optional(),
  families: z.array(z.union([z.literal(4), z.literal(6)])).max(2),
});

const leaseRelease = z.object({ id, session, call });

export function authQuestionOf(payload: unknown): AuthQuestion | undefined {
  return authQuestion.safeParse(payload).data;
}

export function leaseQuestionOf(payload: unknown): LeaseQuestion | undefined {
  const { data } = leaseQuestion.safeParse(payload);
  if (data === undefined) return undefined;
  const { wanted, ...rest } = data;
  return wanted === undefined ? rest : { ...rest, wanted };
}

export function leaseReleaseOf(payload: unknown): LeaseRelease | undefined {
  return leaseRelease.safeParse(payload).data;
}
