import { type Parsed, parsed } from '../parsed.ts';
import { parseControlPacket } from './control-packet.ts';
import { parseOptions } from './option.ts';

/** RFC 1962 §4 and RFC 3078 §2.1: enough to say what a peer wanted when CCP is refused. */
const COMPRESSIONS: Readonly<Record<number, string>> = {
  0: 'OUI',
  1: 'Predictor-1',
  2: 'Predictor-2',
  17: 'Stac LZS',
  18: 'MPPC/MPPE',
  19: 'Gandalf FZA',
  21: 'BSD Compress',
  24: 'Deflate (draft)',
  26: 'Deflate',
};

/** The names of the compressions in a CCP Configure packet. */
export function parseCcpWishes(information: Uint8Array): Parsed<readonly string[]> {
  const packet = parseControlPacket(information);
  if (!packet.ok) return packet;
  const options = parseOptions(packet.value.data);
  if (!options.ok) return options;
  return parsed(options.value.map((option) => COMPRESSIONS[option.type] ?? `type ${option.type}`));
}
