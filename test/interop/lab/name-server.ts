/**
 * Answers DNS queries of type A for one name with the address it listens on, others with NXDOMAIN.
 *
 *   node name-server.ts ADDRESS NAME
 */
import { createSocket } from 'node:dgram';

const [address = '127.0.0.1', known = ''] = process.argv.slice(2);
const HEADER = 12;
const TYPE_A = 1;

const socket = createSocket('udp4');
socket.on('message', (query, peer) => {
  // RFC 1035 §4.1.2: labels, each after its length, up to an empty one; then QTYPE and QCLASS.
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(HEADER, at + 5);
  if (query.length < at + 5) return;
  const found = labels.join('.') === known;
  const answers = found && query.readUInt16BE(at + 1) === TYPE_A;
  const header = Buffer.from(query.subarray(0, HEADER));
  header.writeUInt16BE(found ? 0x8580 : 0x8583, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  // A pointer to the question's name, type A, class IN, TTL 60, four octets.
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);
  socket.send(Buffer.concat([header, question, ...(answers ? [record] : [])]), peer.port, peer.address);
});
socket.bind(53, address);
