import { toHex } from '@culvert/wire';
import { ID_TYPE, type IdPayload } from '@culvert/wire/ike';
import type { Identity } from './events.ts';

/** RFC 2407 §4.6.2: an ID payload as text that is safe to log whatever the peer put into it. */
export function identityOf(payload: IdPayload): Identity {
  return { idType: payload.idType, text: textOf(payload) };
}

function textOf({ idType, data }: IdPayload): string {
  switch (idType) {
    case ID_TYPE.ID_IPV4_ADDR:
      return data.join('.');
    case ID_TYPE.ID_IPV6_ADDR:
      return (toHex(data).match(/.{4}/g) ?? []).join(':');
    case ID_TYPE.ID_FQDN:
    case ID_TYPE.ID_USER_FQDN:
      return printable(data) ?? `0x${toHex(data)}`;
    default:
      return `0x${toHex(data)}`;
  }
}

/** Letters, digits and what names are made of; nothing a terminal or a log reader could stumble over. */
function printable(data: Uint8Array): string | undefined {
  const text = String.fromCharCode(...data);
  return /^[A-Za-z0-9._@+-]+$/.test(text) ? text : undefined;
}
