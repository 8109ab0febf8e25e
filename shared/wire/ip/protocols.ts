/** IANA protocol numbers that Culvert looks at. */
export const ICMP = 1;
/** RFC 2003: a whole IPv4 packet inside. */
export const IPV4_INSIDE = 4;
export const TCP = 6;
export const UDP = 17;
export const DCCP = 33;
/** RFC 2473: a whole IPv6 packet inside. */
export const IPV6_INSIDE = 41;
export const ESP = 50;
export const ICMPV6 = 58;
/** RFC 8200 §4.7 and RFC 4303 §2.6: nothing follows, or a dummy packet. */
export const NO_NEXT_HEADER = 59;
export const SCTP = 132;
export const UDP_LITE = 136;
