import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** A schema rule of our own: `problem` says what is wrong, `remedy` what to write instead. */
function rule<T>(holds: (value: T) => boolean, problem: string, remedy: string) {
  return (value: T, context: z.RefinementCtx<T>) => {
    if (!holds(value)) context.addIssue({ code: 'custom', message: problem, params: { remedy } });
  };
}

/** An IPv4 or IPv6 address in text form. */
export const address = z
  .string()
  .superRefine(rule(isAddress, 'is not an IP address', 'write one such as 192.0.2.1 or 2001:db8::1'));

export const address4 = z
  .string()
  .superRefine(rule(isIpv4, 'is not an IPv4 address', 'write one such as 192.0.2.1'));

export const address6 = z
  .string()
  .superRefine(rule(isIpv6, 'is not an IPv6 address', 'write one such as 2001:db8::1'));

/** A prefix in CIDR notation whose host bits are zero. */
export const cidr = z
  .string()
  .superRefine(
    rule(isCidr, 'is not a network prefix', 'write one such as 10.0.0.0/8 or 2001:db8::/32, host bits zero'),
  );

export const cidr4 = z
  .string()
  .superRefine(
    rule(
      (text: string) => isCidr(text) && !text.includes(':'),
      'is not an IPv4 prefix',
      'write one such as 10.98.0.0/22, host bits zero',
    ),
  );

export const cidr6 = z
  .string()
  .superRefine(
    rule(
      (text: string) => isCidr(text) && text.includes(':'),
      'is not an IPv6 prefix',
      'write one such as 2001:db8:1::/48, host bits zero',
    ),
  );

/** A word that may stand in a NATS subject, a file name and a log line. */
export const word = z
  .string()
  .superRefine(
    rule(
      (text: string) => /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(text),
      'is not a plain name',
      'use 1 to 63 letters, digits, "-" or "_", starting with a letter or digit',
    ),
  );

/** RFC 1661 and its authentication protocols carry names as octets; control characters only confuse logs. */
export const userName = z.string().superRefine(
  rule(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    (text: string) => /^[^\u0000-\u001f\u007f]{1,128}$/u.test(text),
    'is not a user name',
    'use 1 to 128 characters, no control characters',
  ),
);

/** Linux limits interface names to 15 octets (IFNAMSIZ). */
export const interfaceName = z
  .string()
  .superRefine(
    rule(
      (text: string) => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(text),
      'is not an interface name',
      'use 1 to 15 letters, digits, ".", "-" or "_"',
    ),
  );

/** `address:port`, an IPv6 address in brackets. */
export const addressPort = z
  .string()
  .superRefine(
    rule(
      (text: string) => splitAddressPort(text) !== undefined,
      'is not an address and port',
      'write one such as 127.0.0.1:9464 or [::1]:9464',
    ),
  );

export function url(schemes: readonly string[]) {
  return z
    .string()
    .superRefine(
      rule(
        (text: string) => URL.canParse(text) && schemes.includes(new URL(text).protocol),
        'is not a URL of the expected kind',
        `write one that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
      ),
    );
}

export const seconds = (min: number, max: number) => z.number().int().min(min).max(max);
export const milliseconds = seconds;
export const count = seconds;
export const port = z.number().int().min(1).max(65535);

export function splitAddressPort(text: string): { address: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const number = Number(match?.[3]);
  return host !== undefined && isAddress(host) && number > 0 && number < 65536
    ? { address: host, port: number }
    : undefined;
}

function isIpv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

function isIpv6(text: string): boolean {
  return ipaddr.IPv6.isValid(text) && !text.includes('%');
}

function isAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

function isCidr(text: string): boolean {
  const [network = '', length = '', ...rest] = text.split('/');
  if (rest.length > 0 || !isAddress(network) || !/^\d{1,3}$/.test(length)) return false;
  if (!ipaddr.isValidCIDR(text)) return false;
  const family = network.includes(':') ? ipaddr.IPv6 : ipaddr.IPv4;
  return family.networkAddressFromCIDR(text).toString() === ipaddr.parse(network).toString();
}
