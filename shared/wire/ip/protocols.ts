/** IANA protocol numbers that Culvert looks at. */
export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ESP = 50;
export const ICMPV6 = 58;
/** RFC 8200 §4.7 and RFC 4303 §2.6: nothing follows, or a dummy packet. */
export const NO_NEXT_HEADER = 59;
