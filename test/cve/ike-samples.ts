import { hex } from '@culvert/wire';
import { EXCHANGE, emitClearMessage, type Payload, type Proposal, type Transform } from '@culvert/wire/ike';
import { phase1Offer } from '../peer/isakmp-offer.ts';
import { macos } from '../peer/profile.ts';

/** Valid messages for the hostile ones to start from. */
export const cookies = {
  initiatorCookie: hex('1122334455667788'),
  responderCookie: new Uint8Array(8),
};

export function mainMode(payloads: readonly Payload[]): Uint8Array {
  return emitClearMessage({ ...cookies, exchange: EXCHANGE.identityProtection, messageId: 0 }, payloads);
}

export const firstMessage = mainMode([
  phase1Offer(macos.ike),
  ...macos.ike.vendorIds.map((id): Payload => ({ kind: 'VID', data: hex(id) })),
]);

export const transform: Transform = { number: 1, id: 1, attributes: [{ type: 1, form: 'TV', value: 7 }] };

export const proposal: Proposal = { number: 1, protocol: 1, spi: new Uint8Array(0), transforms: [transform] };
