import { concat, viewOf } from '@culvert/wire';
import { emitChain, FLAG, type Payload } from '@culvert/wire/ike';
import {
  type ControlHeader,
  emitControlMessage,
  emitData,
  isControl,
  parseControlHeader,
  parseDataHeader,
} from '@culvert/wire/l2tp';
import { controlPacketOctets, emitFrame, frameLength, protocols } from '@culvert/wire/ppp';
import { Client } from '../peer/client.ts';
import { type EspEnd, udpDatagram } from '../peer/esp-end.ts';
import type { RawChain } from '../peer/isakmp-channel.ts';
import { modern } from '../peer/profile.ts';
import { type DialIn, plainOctets, type SimClient } from '../scenario/dial-in.ts';
import { GATEWAY, PASSWORD, PSK, USER } from '../scenario/gateway.ts';
import type { Chance, SimSocket, World } from '../sim/index.ts';
import { simProcess } from '../sim/index.ts';
import { type Citizen, CORPORATE, citizen, innerAddress, markedPacket } from '../soak/citizen.ts';
import { CHAINS } from './ike-samples.ts';
import { CONTROL_MESSAGES } from './l2tp-samples.ts';
import { mutated } from './mutate.ts';

/** How often each kind of message is changed before it is encrypted, and sent. */
export interface Aims {
  clear: number;
  chain: number;
  control: number;
  frame: number;
}

export interface Hostile {
  readonly one: Citizen;
  /** Says something that no client says, in whatever state it is. */
  act(): void;
}

const L2TP_PORT = 1701;
const UDP_HEADER_OCTETS = 8;
const DATAGRAM_OCTETS_MAX = 9_000;
const chains: readonly RawChain[] = Object.values(CHAINS).map(emitChain);
const CHAIN_OCTETS = chains.map(({ octets }) => octets);
const EMPTY: ControlHeader = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };

/** A client with the right keys and the wrong manners. */
export function hostileClient(world: World, options: DialIn, aims: Aims, chance: Chance): Hostile {
  const process = simProcess(`hostile ${options.address}`, world);
  const sockets = new Map<number, SimSocket>();
  const sim: SimClient = {
    client: new Client(
      {
        profile: options.profile ?? modern,
        psk: options.psk ?? PSK,
        user: options.user ?? USER,
        password: options.password ?? PASSWORD,
        address: plainOctets(options.address),
        gateway: plainOctets(GATEWAY),
      },
      {
        clock: process.clock,
        entropy: process.entropy,
        send: ({ port, octets }) =>
          send(port, chance.happens(aims.clear) ? inTheClear(port, octets, chance) : octets),
        packet: (octets) => sim.packets.push(octets.slice()),
        tamper: (chain) => (chance.happens(aims.chain) ? tampered(chain, chance) : chain),
      },
    ),
    address: options.address,
    packets: [],
    faults: [],
    close() {
      for (const socket of sockets.values()) socket.close();
    },
  };
  const send = (port: number, octets: Uint8Array) =>
    sockets.get(port)?.send({ address: GATEWAY, port }, octets.subarray(0, DATAGRAM_OCTETS_MAX));
  for (const port of [500, 4500, 0] as const) {
    sockets.set(
      port,
      world.network.bind({ address: options.address, port }, ({ octets }) => {
        const received = sim.client.receive({ port, octets });
        world.clock.hold(received).catch((error: unknown) => void sim.faults.push(error));
      }),
    );
  }
  const speech = new Speech(sim, aims, chance, send);
  const one = citizen(world, sim, false);
  return { one, act: () => acts(one, speech, chance, world) };
}

/** What goes into ESP: changed on the way in, and said beside what the client itself says. */
class Speech {
  readonly #sim: SimClient;
  readonly #aims: Aims;
  readonly #chance: Chance;
  readonly #send: (port: number, octets: Uint8Array) => void;
  /** Of the last control message and the last data message that the client meant to send. */
  control: ControlHeader = EMPTY;
  data: { readonly tunnelId: number; readonly sessionId: number } = EMPTY;

  constructor(sim: SimClient, aims: Aims, chance: Chance, send: (port: number, octets: Uint8Array) => void) {
    this.#sim = sim;
    this.#aims = aims;
    this.#chance = chance;
    this.#send = send;
    const { sas } = sim.client;
    const push = sas.push.bind(sas);
    sas.push = (...ends) => push(...ends.map((end) => this.#wrapped(end)));
  }

  say(octets: Uint8Array): void {
    const end = this.#sim.client.sas.at(-1);
    if (end === undefined) return;
    const whole = udpDatagram(L2TP_PORT, L2TP_PORT, octets.subarray(0, DATAGRAM_OCTETS_MAX));
    this.#send(end.sa.encapsulation === 'udp' ? 4500 : 0, sealed(end, whole));
  }

  #wrapped(end: EspEnd): EspEnd {
    sealOf.set(end, end.seal.bind(end));
    end.seal = (payload) => sealed(end, this.#changed(payload));
    return end;
  }

  #changed(payload: Uint8Array): Uint8Array {
    const octets = payload.subarray(UDP_HEADER_OCTETS);
    const control = isControl(octets) === true;
    this.#learn(octets, control);
    if (!this.#chance.happens(control ? this.#aims.control : this.#aims.frame)) return payload;
    if (this.#chance.happens(0.05)) return mutated(this.#chance, [payload]).subarray(0, DATAGRAM_OCTETS_MAX);
    const changed = control ? mutated(this.#chance, [octets]) : this.#changedData(octets);
    return udpDatagram(L2TP_PORT, L2TP_PORT, changed.subarray(0, DATAGRAM_OCTETS_MAX));
  }

  #changedData(octets: Uint8Array): Uint8Array {
    const read = parseDataHeader(octets);
    if (!read.ok || this.#chance.happens(0.1)) return mutated(this.#chance, [octets]);
    return emitData(read.value.header, mutated(this.#chance, [read.value.payload]));
  }

  #learn(octets: Uint8Array, control: boolean): void {
    const read = control ? parseControlHeader(octets) : parseDataHeader(octets);
    if (!read.ok) return;
    if ('ns' in read.value.header && 'nr' in read.value.header) this.control = read.value.header;
    else this.data = read.value.header;
  }
}

const sealOf = new WeakMap<EspEnd, EspEnd['seal']>();

/** As the client's own code seals, past our change. */
function sealed(end: EspEnd, payload: Uint8Array): Uint8Array {
  return (sealOf.get(end) ?? end.seal.bind(end))(payload);
}

function inTheClear(port: number, octets: Uint8Array, chance: Chance): Uint8Array {
  const start = port === 4500 ? 4 : 0;
  const encrypted = ((octets[start + 19] ?? 0) & FLAG.encryption) !== 0;
  if (port === 0 || octets.length < start + 28 || encrypted) return octets;
  const changed = mutated(chance, [octets]);
  // A length that fits what there is gets further.
  if (changed.length >= start + 28 && chance.happens(0.8))
    viewOf(changed).setUint32(start + 24, changed.length - start);
  return changed;
}

function tampered(chain: RawChain, chance: Chance): RawChain {
  const octets = mutated(chance, [chain.octets, chain.octets, ...CHAIN_OCTETS]);
  const sized = octets.subarray(0, DATAGRAM_OCTETS_MAX);
  const first = chance.happens(0.9) ? chain.first : chance.below(256);
  return { first, octets: sized };
}

/** One thing at random, by what the client has come to. */
function acts(one: Citizen, speech: Speech, chance: Chance, world: World): void {
  const { client } = one.sim;
  const { ike } = client;
  const failed = (error: unknown) => void one.sim.faults.push(error);
  switch (chance.below(12)) {
    case 0:
      world.clock.hold(ike.quickMode()).catch(failed);
      break;
    case 1: {
      const payloads = (chance.happens(0.5) ? CHAINS.DPD : CHAINS.delete) as readonly Payload[];
      ike.inform(payloads.slice(1));
      break;
    }
    case 2: {
      const all = Object.values(CHAINS);
      ike.inform(all[chance.below(all.length)] ?? []);
      break;
    }
    case 3:
      ike.areYouThere(chance.below(2 ** 32));
      break;
    case 4:
      if (chance.happens(0.2)) ike.connect();
      break;
    case 5:
    case 6:
    case 7:
      speech.say(controlMessage(speech, chance));
      break;
    case 8:
    case 9:
    case 10:
      speech.say(emitData({ ...speech.data, priority: false }, pppFrame(chance)));
      break;
    default:
      client.sendPacket(innerPacket(one, chance));
  }
}

/** In sequence or nearly so, of any type, for a session that is there or not; what went out last moves on with it. */
function controlMessage(speech: Speech, chance: Chance): Uint8Array {
  const last = speech.control;
  const header = {
    tunnelId: chance.happens(0.9) ? last.tunnelId : chance.below(65_536),
    sessionId: chance.happens(0.6) ? speech.data.sessionId : chance.below(65_536),
    ns: (last.ns + (chance.happens(0.6) ? 1 : chance.below(10))) & 0xffff,
    nr: chance.happens(0.95) ? last.nr : (last.nr + chance.below(6)) & 0xffff,
  };
  if (chance.happens(0.7)) speech.control = { ...header, tunnelId: last.tunnelId };
  const message = CONTROL_MESSAGES[chance.below(CONTROL_MESSAGES.length)];
  const octets = emitControlMessage(header, message);
  return chance.happens(0.6) ? octets : mutated(chance, [octets]);
}

function pppFrame(chance: Chance): Uint8Array {
  const known = Object.values(protocols);
  const protocol = chance.happens(0.9) ? (known[chance.below(known.length)] ?? 0xc021) : chance.below(65_536);
  const request = Uint8Array.of(1, 4, 5, 0x78, 5, 6, 1, 2, 3, 4, 3, 5, 0xc2, 0x23, 0x81);
  const data = chance.happens(0.5) ? mutated(chance, [request]) : chance.octets(chance.below(60));
  const packet = { code: chance.below(15), identifier: chance.below(256), data: data.subarray(0, 1_400) };
  const information = controlPacketOctets(packet);
  const frame = { protocol, information: chance.happens(0.7) ? information : mutated(chance, [information]) };
  const compression = { pfc: chance.happens(0.5), acfc: chance.happens(0.5) };
  const octets = new Uint8Array(frameLength(frame, compression));
  emitFrame(frame, octets, 0, compression);
  return octets;
}

/** With the mark, from its own address or one that it would like to have. */
function innerPacket(one: Citizen, chance: Chance): Uint8Array {
  const own = innerAddress(one) ?? '10.98.0.9';
  const from = chance.happens(0.5) ? own : `10.98.0.${chance.below(256)}`;
  const to = chance.happens(0.6) ? CORPORATE : `10.98.0.${chance.below(256)}`;
  const packet = markedPacket(one, from, to, 20 + chance.below(1_500));
  return chance.happens(0.4) ? packet : concat(mutated(chance, [packet]));
}
