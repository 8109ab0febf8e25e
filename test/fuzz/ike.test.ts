import { concat, malformed, type Parsed } from '@culvert/wire';
import {
  type Attribute,
  type Chain,
  checkMessage,
  emitAttribute,
  emitChain,
  emitIsakmpHeader,
  emitPayload,
  emitProposal,
  emitTransform,
  ISAKMP_HEADER_OCTETS,
  type IsakmpHeader,
  type IsakmpMessage,
  MESSAGE_RULES,
  type MessageName,
  type Payload,
  type Proposal,
  parseAttributes,
  parseChain,
  parseClearMessage,
  parseIsakmpHeader,
  parseOpenedMessage,
  parsePayload,
  parseProposals,
  parseTransforms,
  type Transform,
  vendorName,
} from '@culvert/wire/ike';
import { describe, test } from 'vitest';
import { phase2Offer } from '../peer/isakmp-offer.ts';
import { type Decoder, fuzzDecoder } from './decoder.ts';
import { ATTRIBUTES, CHAINS, MESSAGES, PROFILES } from './ike-samples.ts';
import { FUZZ_TIMEOUT_MS } from './run.ts';

const payloadsOnly = (chain: Chain) => chain.links.map((link) => link.payload);

/** A type or a count that a container announces leads the octets here. */
const withType = (type: number, octets: Uint8Array) => concat(Uint8Array.of(type), octets);

const typed =
  <T>(parse: (type: number, octets: Uint8Array) => Parsed<T>) =>
  (octets: Uint8Array): Parsed<T> => {
    const [type] = octets;
    return type === undefined ? malformed('truncated', 0) : parse(type, octets);
  };

const header: Decoder<IsakmpHeader> = {
  name: 'ISAKMP header',
  corpus: MESSAGES,
  parse: parseIsakmpHeader,
  emit(value) {
    const octets = new Uint8Array(Math.min(value.length, 70_000)).fill(0x5a);
    emitIsakmpHeader(value, octets);
    return octets;
  },
};

const clear: Decoder<IsakmpMessage> = {
  name: 'ISAKMP message in the clear',
  corpus: MESSAGES,
  parse: parseClearMessage,
  emit(value) {
    const { first, octets } = emitChain(payloadsOnly(value.chain));
    const message = new Uint8Array(ISAKMP_HEADER_OCTETS + octets.length);
    emitIsakmpHeader({ ...value.header, nextPayload: first, length: message.length }, message);
    message.set(octets, ISAKMP_HEADER_OCTETS);
    return message;
  },
  // Reserved octets within bodies are not kept, and with them goes what stands beyond a list's end.
  kept: ({ header: { length: _, ...rest }, chain }) => ({ rest, payloads: payloadsOnly(chain) }),
};

const chain: Decoder<Chain> = {
  name: 'payload chain',
  corpus: Object.values(CHAINS).map((payloads) => {
    const { first, octets } = emitChain(payloads);
    return withType(first, octets);
  }),
  parse: typed((type, octets) => parseChain(octets, 1, type)),
  emit(value) {
    const { first, octets } = emitChain(payloadsOnly(value));
    return withType(first, octets);
  },
  kept: payloadsOnly,
};

const opened: Decoder<IsakmpMessage> = {
  name: 'opened ISAKMP message',
  corpus: chain.corpus.map((octets) => concat(octets, new Uint8Array(octets.length % 16))),
  parse: typed((type, octets) => {
    const outer = parseIsakmpHeader(MESSAGES[0] as Uint8Array);
    return outer.ok
      ? parseOpenedMessage({ ...outer.value, nextPayload: type }, octets.subarray(1))
      : malformed(outer.reason, 0);
  }),
  makes: true,
};

const payload: Decoder<Payload> = {
  name: 'payload body',
  corpus: Object.values(CHAINS)
    .flat()
    .map((one) => {
      const { type, body } = emitPayload(one);
      return withType(type, body);
    }),
  parse: typed((type, octets) => parsePayload(type, octets.subarray(1), 1)),
  emit(value) {
    const { type, body } = emitPayload(value);
    return withType(type, body);
  },
};

const attributes: Decoder<readonly Attribute[]> = {
  name: 'data attributes',
  corpus: ATTRIBUTES,
  parse: (octets) => parseAttributes(octets, 0),
  emit: (value) => concat(...value.map(emitAttribute)),
};

const saPayloads = PROFILES.map(({ ike }) => phase2Offer(ike, Uint8Array.of(1, 2, 3, 4), true, true));

const proposals: Decoder<readonly Proposal[]> = {
  name: 'proposals',
  corpus: saPayloads.map(({ proposals: list }) =>
    concat(...list.map((one, index) => emitProposal(one, index === list.length - 1))),
  ),
  parse: (octets) => parseProposals(octets, 0),
  emit: (value) => concat(...value.map((one, index) => emitProposal(one, index === value.length - 1))),
};

const transforms: Decoder<readonly Transform[]> = {
  name: 'transforms',
  corpus: saPayloads.map(({ proposals: list }) => {
    const all = list.flatMap((one) => one.transforms);
    return withType(
      all.length,
      concat(...all.map((one, index) => emitTransform(one, index === all.length - 1))),
    );
  }),
  parse: typed((count, octets) => parseTransforms(octets.subarray(1), count, 1)),
  emit: (value) =>
    withType(
      value.length,
      concat(...value.map((one, index) => emitTransform(one, index === value.length - 1))),
    ),
};

/** Every rule of message law over every chain that can be read. */
const law: Decoder<unknown> = {
  name: 'message law',
  corpus: chain.corpus,
  parse(octets): Parsed<unknown> {
    const read = chain.parse(octets);
    if (!read.ok) return read;
    for (const name of Object.keys(MESSAGE_RULES) as MessageName[]) checkMessage(name, read.value);
    for (const one of payloadsOnly(read.value)) if (one.kind === 'VID') vendorName(one.data);
    return read;
  },
};

describe('ISAKMP decoders', () => {
  const all: readonly Decoder<unknown>[] = [
    header,
    clear,
    chain,
    opened,
    payload,
    attributes,
    proposals,
    transforms,
    law,
  ];
  for (const target of all) {
    test(target.name, { timeout: FUZZ_TIMEOUT_MS }, () => fuzzDecoder(target));
  }
});
