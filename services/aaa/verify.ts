import type { AuthQuestion } from '@culvert/contracts';
import {
  authenticatorResponse,
  CHAP_RESPONSE_OCTETS,
  constantTimeEqual,
  MS_CHAP_CHALLENGE_OCTETS,
  NT_RESPONSE_OCTETS,
  papPasswordPlace,
  verifyChapResponse,
  verifyNtResponse,
} from '@culvert/crypto';
import type { Sealer } from '@culvert/host';
import { type Account, withoutDomain } from './account.ts';

export type Verdict =
  | { readonly ok: true; readonly authenticatorResponse?: string }
  | { readonly ok: false; readonly detail: string };

type ProofOf<M> = Extract<AuthQuestion['proof'], { method: M }>;

const WRONG: Verdict = { ok: false, detail: 'the proof does not match the password' };

/** Checks a proof against an account, or against nobody with the same effort. */
export async function verify(account: Account, question: AuthQuestion, sealer: Sealer): Promise<Verdict> {
  const { proof } = question;
  switch (proof.method) {
    case 'pap':
      return verifyPap(account, question.session, proof, sealer);
    case 'chap-md5':
      return verifyChap(account, proof);
    case 'ms-chap-v2':
      return verifyMsChapV2(account, question.user, proof);
  }
}

async function verifyPap(
  account: Account,
  session: string,
  proof: ProofOf<'pap'>,
  sealer: Sealer,
): Promise<Verdict> {
  const octets = sealer.open(papPasswordPlace(session), proof.sealedPassword);
  const password = textOf(octets);
  octets.fill(0);
  const matches = await account.hasPassword(password ?? '');
  if (password === undefined) return { ok: false, detail: 'the password is not UTF-8' };
  return matches ? { ok: true } : WRONG;
}

function verifyChap(account: Account, proof: ProofOf<'chap-md5'>): Verdict {
  if (account.chapSecret === undefined) return { ok: false, detail: 'the user was added without --chap' };
  if (proof.challenge.length === 0) return { ok: false, detail: 'empty challenge' };
  if (proof.response.length !== CHAP_RESPONSE_OCTETS)
    return { ok: false, detail: 'response is not 16 octets long' };
  return verifyChapResponse(proof.identifier, account.chapSecret, proof.challenge, proof.response)
    ? { ok: true }
    : WRONG;
}

function verifyMsChapV2(account: Account, user: string, proof: ProofOf<'ms-chap-v2'>): Verdict {
  const { authenticatorChallenge, peerChallenge, ntResponse } = proof;
  const lengthsHold =
    authenticatorChallenge.length === MS_CHAP_CHALLENGE_OCTETS &&
    peerChallenge.length === MS_CHAP_CHALLENGE_OCTETS &&
    ntResponse.length === NT_RESPONSE_OCTETS;
  if (!lengthsHold) return { ok: false, detail: 'challenge or response has a wrong length' };
  // A peer that repeats our challenge may be having us answer our own question on another link.
  if (constantTimeEqual(authenticatorChallenge, peerChallenge)) {
    return { ok: false, detail: 'the peer challenge repeats ours' };
  }
  // RFC 2759 §8.2: the name as the peer sent it, without the domain.
  const userName = new TextEncoder().encode(withoutDomain(user));
  const exchange = { authenticatorChallenge, peerChallenge, userName };
  if (!verifyNtResponse(exchange, account.ntHash, ntResponse)) return WRONG;
  return { ok: true, authenticatorResponse: authenticatorResponse(exchange, account.ntHash, ntResponse) };
}

function textOf(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
