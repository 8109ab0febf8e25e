export {
  ADDRESS_OCTETS,
  type AddressOctets,
  formatAddress,
  ipv4Octets,
  isIpv4,
  mappedIpv4,
  parseAddress,
} from './address.ts';
export { checksumOf, checksumUpdated, pseudoHeaderSum, sumHolds, sumOf } from './checksum.ts';
export { fragmentIpv4 } from './fragment.ts';
export {
  emitEchoReply4,
  emitFragmentationNeeded,
  emitPacketTooBig,
  isIcmp4Error,
  isIcmp6Error,
} from './icmp.ts';
export {
  emitIpv4Header,
  hasSourceRoute,
  IPV4_HEADER_OCTETS,
  type Ipv4Header,
  type Ipv4Packet,
  parseIpv4,
} from './ipv4.ts';
export {
  EXTENSION_HEADERS_MAX,
  emitIpv6Header,
  IPV6_HEADER_OCTETS,
  IPV6_MTU_MIN,
  type Ipv6Header,
  type Ipv6Packet,
  parseIpv6,
} from './ipv6.ts';
export { contains, type Prefix, parsePrefix, prefixOf } from './prefix.ts';
export {
  DCCP,
  ESP,
  ICMP,
  ICMPV6,
  IPV4_INSIDE,
  IPV6_INSIDE,
  NO_NEXT_HEADER,
  SCTP,
  TCP,
  UDP,
  UDP_LITE,
} from './protocols.ts';
export {
  parseRouterAdvertisement,
  parseRouterSolicitation,
  type RouterAdvertisement,
  routerAdvertisementPacket,
  routerSolicitationPacket,
} from './router-advertisement.ts';
export { clampMss, parseTcp, TCP_HEADER_OCTETS, type TcpView } from './tcp.ts';
export { decapsulatedEcn, Ecn, setEcn, trafficClassOf } from './traffic-class.ts';
export {
  emitUdpHeader,
  fillUdpChecksum,
  parseUdp,
  UDP_HEADER_OCTETS,
  type UdpDatagram,
  udpChecksumHolds,
} from './udp.ts';
