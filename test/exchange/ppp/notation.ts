import {
  type CpOption,
  codes,
  ipcpOptions,
  lcpOptions,
  parseControlPacket,
  parseFrame,
  parseOptions,
  parseProtocolReject,
  protocolName,
  protocols,
} from '@culvert/wire/ppp';

const CONTROL: Readonly<Record<number, string>> = {
  1: 'Configure-Request',
  2: 'Configure-Ack',
  3: 'Configure-Nak',
  4: 'Configure-Reject',
  5: 'Terminate-Request',
  6: 'Terminate-Ack',
  7: 'Code-Reject',
  8: 'Protocol-Reject',
  9: 'Echo-Request',
  10: 'Echo-Reply',
  12: 'Identification',
};
const CHAP: Readonly<Record<number, string>> = { 1: 'Challenge', 2: 'Response', 3: 'Success', 4: 'Failure' };
const PAP: Readonly<Record<number, string>> = {
  1: 'Authenticate-Request',
  2: 'Authenticate-Ack',
  3: 'Authenticate-Nak',
};
const LCP_OPTIONS = new Map<number, string>(Object.entries(lcpOptions).map(([name, type]) => [type, name]));
const IPCP_OPTIONS = new Map<number, string>(Object.entries(ipcpOptions).map(([name, type]) => [type, name]));

/** A frame as the RFCs write it: `LCP Configure-Request(mru, magicNumber)`. */
export function written(octets: Uint8Array): string {
  const frame = parseFrame(octets);
  if (!frame.ok) return `malformed: ${frame.reason}`;
  const { protocol, information } = frame.value;
  const name = protocolName(protocol);
  if (protocol === protocols.ipv4 || protocol === protocols.ipv6) return name;
  const packet = parseControlPacket(information);
  if (!packet.ok) return `${name} malformed: ${packet.reason}`;
  const { code, data } = packet.value;
  if (protocol === protocols.chap) return `${name} ${CHAP[code] ?? code}`;
  if (protocol === protocols.pap) return `${name} ${PAP[code] ?? code}`;
  const said = `${name} ${CONTROL[code] ?? `code ${code}`}`;
  if (protocol === protocols.lcp && code === codes.protocolReject) {
    const reject = parseProtocolReject(data);
    return `${said}(${reject.ok ? protocolName(reject.value.protocol) : reject.reason})`;
  }
  if (code < codes.configureRequest || code > codes.configureReject) return said;
  const options = parseOptions(data);
  return `${said}(${options.ok ? options.value.map((option) => optionName(protocol, option)).join(', ') : options.reason})`;
}

function optionName(protocol: number, { type, data }: CpOption): string {
  if (protocol === protocols.lcp) return LCP_OPTIONS.get(type) ?? `option ${type}`;
  if (protocol === protocols.ipcp) {
    const name = IPCP_OPTIONS.get(type) ?? `option ${type}`;
    return data.length === 4 ? `${name} ${data.join('.')}` : name;
  }
  return `option ${type}`;
}
