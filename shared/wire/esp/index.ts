export {
  emitMarked,
  NON_ESP_MARKER_OCTETS,
  parseUdpEncapsulated,
  type UdpEncapsulated,
} from './encapsulation.ts';
export { ESP_HEADER_OCTETS, type EspHeader, emitEspHeader, parseEspHeader, SPI_MIN } from './header.ts';
export {
  ESP_TRAILER_OCTETS,
  type EspPlain,
  emitEspTrailer,
  espPlainLength,
  parseEspPlain,
} from './trailer.ts';
