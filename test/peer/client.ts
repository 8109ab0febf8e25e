import { Secret } from '@culvert/crypto';
import type { Clock, EntropySource } from '@culvert/host';
import { be32, concat, u32 } from '@culvert/wire';
import { EspEnd, udpDatagram, udpPayload } from './esp-end.ts';
import { IkeInitiator, type PeerSa } from './ike-initiator.ts';
import type { Tamper } from './isakmp-channel.ts';
import { Lac } from './lac.ts';
import { PppClient } from './ppp-client.ts';
import type { PeerProfile } from './profile.ts';

/** What leaves the client: UDP between equal ports of both ends, or a raw ESP packet (`port` 0). */
export interface ClientDatagram {
  readonly port: 500 | 4500 | 0;
  readonly octets: Uint8Array;
}

export interface ClientPorts {
  readonly clock: Clock;
  readonly entropy: EntropySource;
  send(datagram: ClientDatagram): void;
  /** An IP packet that came through the tunnel. */
  packet?(octets: Uint8Array): void;
  /** Of a hostile client. */
  readonly tamper?: Tamper;
}

export interface ClientOptions {
  readonly profile: PeerProfile;
  readonly psk: string;
  readonly user: string;
  readonly password: string;
  /** 4 or 16 octets: the client's own address (behind a NAT its private one) and the dialled one. */
  readonly address: Uint8Array;
  readonly gateway: Uint8Array;
}

const NON_ESP_MARKER = new Uint8Array(4);
const L2TP_PORT = 1701;

/** A whole stock client: dials, and then is a host behind a tunnel. Keeps going until told otherwise. */
export class Client {
  readonly #ports: ClientPorts;
  readonly #options: ClientOptions;
  readonly ike: IkeInitiator;
  readonly lac: Lac;
  readonly ppp: PppClient;
  readonly sas: EspEnd[] = [];
  #cancels: (() => void)[] = [];
  /** Why it ended, once it has. */
  ended: string | undefined;
  up = false;
  unopened = 0;

  constructor(options: ClientOptions, ports: ClientPorts) {
    this.#ports = ports;
    this.#options = options;
    const { clock, entropy } = ports;
    this.ike = new IkeInitiator(
      options.profile.ike,
      Secret.fromText(options.psk),
      { ours: options.address, gateway: options.gateway },
      {
        clock,
        entropy,
        send: (octets, port) =>
          ports.send({ port, octets: port === 4500 ? concat(NON_ESP_MARKER, octets) : octets }),
        ipsecSa: (sa) => this.#onSa(sa),
        deleted: (what) => this.#onDeleted(what),
        tamper: ports.tamper,
      },
    );
    this.lac = new Lac({
      clock,
      entropy,
      send: (octets) => this.#sendL2tp(octets),
      up: () => this.ppp.start(),
      frame: (octets) => this.ppp.receive(octets),
      down: (why) => this.#end(`L2TP: ${why}`),
    });
    this.ppp = new PppClient(options.profile.ppp, options.user, Secret.fromText(options.password), {
      clock,
      entropy,
      send: (frame) => this.lac.sendFrame(frame),
      packet: (octets) => ports.packet?.(octets),
      opened: () => {
        this.up = true;
      },
      ended: (why) => this.#end(why),
    });
  }

  dial(): void {
    this.ike.connect();
    this.#keepAlive();
  }

  /** `port` is that of the gateway's end, 0 for raw ESP. */
  async receive(datagram: ClientDatagram): Promise<void> {
    const { port, octets } = datagram;
    if (port === 500) return this.ike.receive(octets);
    if (port === 4500 && octets.length >= 4 && u32(octets) === 0) return this.ike.receive(octets.subarray(4));
    if (octets.length >= 8) this.#onEsp(octets);
  }

  sendPacket(octets: Uint8Array): void {
    this.ppp.sendPacket(octets);
  }

  /** As a user's "disconnect": PPP, L2TP and both kinds of SA, in order. */
  hangUp(): void {
    this.ppp.hangUp();
    this.lac.hangUp();
    this.#cancels.push(
      this.#ports.clock.after(200, () => {
        this.ike.deleteEsp(this.sas.map((end) => end.sa.inboundSpi));
        this.ike.deleteIsakmp();
        this.vanish();
        this.#end('hung up');
      }),
    );
  }

  /** As a power cut. */
  vanish(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    this.ike.vanish();
    this.lac.vanish();
    this.ppp.vanish();
    this.up = false;
  }

  #onSa(sa: PeerSa): void {
    this.sas.push(new EspEnd(sa));
    if (this.sas.length === 1) this.lac.connect(this.#options.profile.name);
  }

  #onDeleted(what: 'isakmp' | number): void {
    if (what === 'isakmp') return;
    const index = this.sas.findIndex((end) => end.sa.outboundSpi === what);
    if (index >= 0) this.sas.splice(index, 1);
    if (this.sas.length === 0) this.#end('the gateway deleted the last SA');
  }

  #onEsp(octets: Uint8Array): void {
    const spi = u32(octets);
    const inner = this.sas.find((end) => end.sa.inboundSpi === spi)?.open(octets);
    if (inner === undefined) {
      this.unopened += 1;
      return;
    }
    const { destination, data } = udpPayload(inner);
    if (destination === L2TP_PORT) this.lac.receive(data);
  }

  #sendL2tp(octets: Uint8Array): void {
    const newest = this.sas.at(-1);
    if (newest === undefined) return;
    const packet = newest.seal(udpDatagram(L2TP_PORT, L2TP_PORT, octets));
    this.#ports.send({ port: newest.sa.encapsulation === 'udp' ? 4500 : 0, octets: packet });
  }

  /** RFC 3948 §4: one 0xff octet every 20 s while behind a NAT; LCP Echo as the profile does. */
  #keepAlive(): void {
    const { echoSeconds } = this.#options.profile.ppp;
    this.#every(20_000, () => {
      if (this.ike.natDetected) this.#ports.send({ port: 4500, octets: Uint8Array.of(0xff) });
    });
    if (echoSeconds > 0) {
      this.#every(echoSeconds * 1000, () => {
        if (this.up) this.ppp.echo();
      });
    }
  }

  #every(ms: number, what: () => void): void {
    const index = this.#cancels.length;
    const again = () => {
      what();
      this.#cancels[index] = this.#ports.clock.after(ms, again);
    };
    this.#cancels[index] = this.#ports.clock.after(ms, again);
  }

  #end(why: string): void {
    this.ended ??= why;
    this.up = false;
  }
}

/** An IPv4 address in dotted form as octets. */
export function ipv4(text: string): Uint8Array {
  const parts = text.split('.').map(Number);
  return be32((((parts[0] ?? 0) * 256 + (parts[1] ?? 0)) * 256 + (parts[2] ?? 0)) * 256 + (parts[3] ?? 0));
}
