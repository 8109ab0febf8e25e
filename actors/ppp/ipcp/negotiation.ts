import { equal } from '@culvert/wire';
import { type CpOption, ipcpOptions, ipv4Option, parseIpv4Option } from '@culvert/wire/ppp';
import type { AutomatonContext } from '../automaton/actions.ts';
import { type Negotiation, type Revised, timesRefused } from '../automaton/classify.ts';
import { judge, type OptionRules, type Verdict } from '../automaton/judge.ts';

const PACKET_HEADER_OCTETS = 4;
/** A client that argues about our own address three times may have the link without it. */
const REFUSALS_MAX = 3;

export interface IpcpPolicy {
  /** The peer's address, 4 octets. */
  readonly address: Uint8Array;
  /** Name servers, 4 octets each, at most two count. */
  readonly dns: readonly Uint8Array[];
}

/**
 * RFC 1332 §3 and RFC 1877 §1. Rejected for want of a row: IP-Addresses (1), IP-Compression-Protocol (2),
 * Mobile-IPv4 (4) and the NBNS servers (130, 132).
 */
const RULES: OptionRules<IpcpPolicy> = {
  // Never rejected: Windows takes that for the end of the link.
  [ipcpOptions.ipAddress]: (data, { address }) => mustBe(address, data),
  [ipcpOptions.primaryDns]: (data, { dns }) => (dns[0] === undefined ? 'reject' : mustBe(dns[0], data)),
  [ipcpOptions.secondaryDns]: (data, { dns }) => (dns[1] === undefined ? 'reject' : mustBe(dns[1], data)),
};

function mustBe(right: Uint8Array, data: Uint8Array): Verdict {
  const given = parseIpv4Option(data);
  return given.ok && equal(given.value, right) ? 'ack' : { nak: right };
}

/** Our own end of the link is the gateway's address. */
export function ipcpRequest(gateway: Uint8Array): readonly CpOption[] {
  return [ipv4Option(ipcpOptions.ipAddress, gateway)];
}

export function ipcpNegotiation(context: AutomatonContext, policy: IpcpPolicy, peerMru: number): Negotiation {
  return {
    peerMru,
    disagreement: 'the client insists on another IPv4 address than the one it was assigned',
    judge: (identifier, options) =>
      judge(identifier, options, {
        rules: RULES,
        policy,
        // RFC 1332 §3.3: a peer that leaves the option out is told its address.
        missing: [ipv4Option(ipcpOptions.ipAddress, policy.address)],
        insisted: [ipcpOptions.ipAddress],
        failures: context.failures,
        maxFailure: context.limits.maxFailure,
        room: peerMru - PACKET_HEADER_OCTETS,
      }),
    revise: (code, options) => revise(code, options, context),
  };
}

function revise(code: 'nak' | 'reject', options: readonly CpOption[], context: AutomatonContext): Revised {
  const request = context.request.filter((asked) => {
    const turnedDown = options.some((option) => option.type === asked.type);
    return !turnedDown || (code === 'nak' && timesRefused(context, asked.type) < REFUSALS_MAX);
  });
  return { request };
}
