import type { SaEntry } from '@culvert/contracts';
import {
  cbcBlockOctets,
  cbcKeyOctets,
  type DhKey,
  encryptionKey,
  generateDhKey,
  hash1,
  hash2,
  hash3,
  hashI,
  hashR,
  initialIv,
  natDetectionHash,
  type Secret,
  skeyidOfPsk,
  skeyids,
} from '@culvert/crypto';
import type { Clock, EntropySource } from '@culvert/host';
import { exposed } from '@culvert/kernel';
import { be16, be32, concat, equal, hex, u32 } from '@culvert/wire';
import {
  type Chain,
  DOI,
  EXCHANGE,
  emitClearMessage,
  emitSa,
  FLAG,
  ID_TYPE,
  type IdPayload,
  type IsakmpHeader,
  linkOf,
  NOTIFY,
  type NotificationPayload,
  type Payload,
  PROTOCOL,
  parseClearMessage,
  parseIsakmpHeader,
  payloadsOf,
} from '@culvert/wire/ike';
import { type IpsecKeys, ipsecKeys } from './ipsec-keys.ts';
import { IsakmpChannel, type Tamper } from './isakmp-channel.ts';
import {
  type Phase2Suite,
  phase1Offer,
  phase1Suite,
  phase2Offer,
  phase2Suite,
  selectedPhase1,
  selectedPhase2,
} from './isakmp-offer.ts';
import type { IkeProfile, Phase1Transform, Phase2Transform } from './profile.ts';

export interface IkePorts {
  readonly clock: Clock;
  readonly entropy: EntropySource;
  /** `port` 500 or 4500 of both ends; behind the non-ESP marker on 4500, which the caller adds. */
  send(octets: Uint8Array, port: 500 | 4500): void;
  ipsecSa(sa: PeerSa): void;
  /** A Delete of the gateway for an ISAKMP SA or for the ESP SA with this SPI (ours to send on). */
  deleted(what: 'isakmp' | number): void;
  readonly tamper?: Tamper | undefined;
}

export interface PeerSa extends IpsecKeys, Pick<SaEntry, 'inboundSpi' | 'outboundSpi' | 'encapsulation'> {
  readonly suite: Phase2Suite;
}

export interface IkeAddresses {
  /** The client's own address and the one it dialled, 4 or 16 octets. */
  readonly ours: Uint8Array;
  readonly gateway: Uint8Array;
}

interface Waiting {
  readonly stage: string;
  readonly octets: Uint8Array;
  readonly port: 500 | 4500;
  tries: number;
}

interface QuickMode {
  readonly messageId: number;
  readonly nonce: Uint8Array;
  readonly spi: number;
  readonly dh: DhKey | undefined;
}

const RETRY_MS = 2000;
const TRIES_MAX = 6;

/** A stock client's end of IKEv1: Main Mode with a pre-shared key, Quick Mode, Informational. */
export class IkeInitiator {
  readonly #profile: IkeProfile;
  readonly #psk: Secret;
  readonly #addresses: IkeAddresses;
  readonly #ports: IkePorts;
  readonly #id: IdPayload;
  #cookie: Uint8Array = new Uint8Array(8);
  #responderCookie: Uint8Array = new Uint8Array(8);
  #nonce: Uint8Array = new Uint8Array(0);
  #dh: DhKey | undefined;
  #hashI: Uint8Array = new Uint8Array(0);
  #expectedHashR: ((idBody: Uint8Array) => Uint8Array) | undefined;
  #channel: IsakmpChannel | undefined;
  #draft = false;
  #waiting: Waiting | undefined;
  #cancelTimer: () => void = () => {};
  #quick: QuickMode | undefined;
  #seen = new Set<string>();
  stage: 'idle' | 'mm2' | 'mm4' | 'mm6' | 'up' | 'failed' = 'idle';
  natDetected = false;
  phase1: Phase1Transform | undefined;
  phase2: Phase2Transform | undefined;
  /** What the gateway said in the clear or protected, in order: notify numbers. */
  readonly notified: number[] = [];

  constructor(profile: IkeProfile, psk: Secret, addresses: IkeAddresses, ports: IkePorts) {
    this.#profile = profile;
    this.#psk = psk;
    this.#addresses = addresses;
    this.#ports = ports;
    this.#id = {
      kind: 'ID',
      idType: addresses.ours.length === 4 ? ID_TYPE.ID_IPV4_ADDR : ID_TYPE.ID_IPV6_ADDR,
      ipProtocol: 17,
      port: 0,
      data: addresses.ours,
    };
  }

  get port(): 500 | 4500 {
    return this.natDetected ? 4500 : 500;
  }

  get cookies(): { readonly initiator: Uint8Array; readonly responder: Uint8Array } {
    return { initiator: this.#cookie, responder: this.#responderCookie };
  }

  /** Its protected side, from MM4 on: for tests that say what no client says. */
  get channel(): IsakmpChannel | undefined {
    return this.#channel;
  }

  /** HDR, SA, VID...  -->  again on an established SA: a new ISAKMP SA in place of the old one. */
  connect(): void {
    const random = exposed(this.#ports.entropy.seed(), 1, 40);
    this.#cookie = random.subarray(0, 8);
    this.#nonce = random.subarray(8, 40);
    this.#responderCookie = new Uint8Array(8);
    this.stage = 'mm2';
    const vids = this.#profile.vendorIds.map((id): Payload => ({ kind: 'VID', data: hex(id) }));
    this.#transmit('mm2', this.#clear([phase1Offer(this.#profile), ...vids]), this.port);
  }

  async receive(octets: Uint8Array): Promise<void> {
    const header = parseIsakmpHeader(octets);
    if (!header.ok || !equal(header.value.initiatorCookie, this.#cookie)) return;
    if ((header.value.flags & FLAG.encryption) !== 0) return this.#protected(header.value, octets);
    const message = parseClearMessage(octets);
    if (!message.ok) return;
    const { chain } = message.value;
    for (const notify of payloadsOf(chain, 'N')) this.notified.push(notify.notifyType);
    if (header.value.exchange === EXCHANGE.informational) return;
    if (this.stage === 'mm2') await this.#onMm2(header.value, chain);
    else if (this.stage === 'mm4') await this.#onMm4(chain);
  }

  /** <--  HDR, SA, VID...   then   HDR, KE, Ni, NAT-D, NAT-D  --> */
  async #onMm2(header: IsakmpHeader, chain: Chain): Promise<void> {
    const answer = linkOf(chain, 'SA');
    if (answer === undefined) return;
    this.phase1 = selectedPhase1(this.#profile, answer.payload);
    if (this.phase1 === undefined) throw new Error('the gateway selected what was not offered');
    this.stage = 'mm4';
    this.#answered();
    this.#responderCookie = header.responderCookie.slice();
    const suite = phase1Suite(this.phase1);
    const known = payloadsOf(chain, 'VID').map((vid) => vid.data);
    const rfc3947 = known.some((data) => equal(data, hex('4a131c81070358455c5728f20e95452f')));
    this.#draft = !rfc3947;
    this.#dh = await generateDhKey(suite.group);
    const numbers = this.#draft ? 'draft' : 'rfc3947';
    const natD = (address: Uint8Array): Payload => ({
      kind: 'NAT-D',
      numbers,
      hash: natDetectionHash(suite.hash, this.cookies, address, 500),
    });
    this.#transmit(
      'mm4',
      this.#clear([
        { kind: 'KE', data: this.#dh.publicValue },
        { kind: 'NONCE', data: this.#nonce },
        natD(this.#addresses.gateway),
        natD(this.#addresses.ours),
      ]),
      this.port,
    );
  }

  /** <--  HDR, KE, Nr, NAT-D, NAT-D   then   HDR*, IDii, HASH_I [, N]  --> */
  async #onMm4(chain: Chain): Promise<void> {
    const ke = linkOf(chain, 'KE');
    const nonce = linkOf(chain, 'NONCE');
    if (ke === undefined || nonce === undefined || this.#dh === undefined || this.phase1 === undefined)
      return;
    this.stage = 'mm6';
    this.#answered();
    const suite = phase1Suite(this.phase1);
    const [ours, ...theirs] = payloadsOf(chain, 'NAT-D').map((payload) => payload.hash);
    const expect = (address: Uint8Array) => natDetectionHash(suite.hash, this.cookies, address, this.port);
    const seenAs = ours !== undefined && equal(ours, expect(this.#addresses.ours));
    const gatewayAs = theirs.some((hash) => equal(hash, expect(this.#addresses.gateway)));
    this.natDetected = this.natDetected || (ours !== undefined && !(seenAs && gatewayAs));
    const publicI = this.#dh.publicValue;
    const publicR = ke.payload.data.slice();
    const agreement = await this.#dh.agree(publicR);
    if (!agreement.ok) throw new Error(`gateway's public value: ${agreement.reason}`);
    const skeyid = skeyidOfPsk(suite.hash, this.#psk, this.#nonce, nonce.payload.data);
    const keys = skeyids(suite.hash, skeyid, agreement.sharedSecret, this.cookies);
    const { initiator, responder } = this.cookies;
    const key = encryptionKey(suite.hash, keys.e, cbcKeyOctets(suite.cipher));
    const iv = initialIv(suite.hash, publicI, publicR, cbcBlockOctets(suite.cipher));
    const of = { suite, keys, encryptionKey: key, initiatorCookie: initiator, responderCookie: responder };
    this.#channel = new IsakmpChannel(of, iv, this.#ports.tamper);
    const saBody = emitSa(phase1Offer(this.#profile));
    const transcript = { hash: suite.hash, skeyid, publicI, publicR, cookies: this.cookies, saBody };
    this.#hashI = hashI(transcript, this.#idBody());
    this.#expectedHashR = (idBody) => hashR(transcript, idBody);
    const spi = concat(initiator, responder);
    const contact: Payload[] = this.#profile.initialContact ? [notification('INITIAL-CONTACT', spi)] : [];
    const payloads: Payload[] = [this.#id, { kind: 'HASH', data: this.#hashI }, ...contact];
    this.#transmit('mm6', this.#channel.seal(EXCHANGE.identityProtection, 0, payloads), this.port);
  }

  #protected(header: IsakmpHeader, octets: Uint8Array): void | Promise<void> {
    const channel = this.#channel;
    if (channel === undefined || !equal(header.responderCookie, this.#responderCookie)) return;
    const fingerprint = `${header.messageId}:${octets.subarray(-16).join()}`;
    if (this.#seen.has(fingerprint)) return;
    const opened = channel.open(header, octets);
    if (opened === undefined) return;
    this.#seen.add(fingerprint);
    const { chain, plain } = opened;
    if (header.exchange === EXCHANGE.identityProtection) return this.#onMm6(chain);
    if (header.exchange === EXCHANGE.quickMode) return this.#onQm2(header, chain, plain);
    if (header.exchange === EXCHANGE.informational) this.#onInformational(header, chain, plain);
  }

  /** <--  HDR*, IDir, HASH_R */
  #onMm6(chain: Chain): void {
    const id = linkOf(chain, 'ID');
    const hash = linkOf(chain, 'HASH');
    if (this.stage !== 'mm6' || id === undefined || hash === undefined) return;
    if (!equal(hash.payload.data, this.#expectedHashR?.(id.body) ?? new Uint8Array(0))) {
      this.stage = 'failed';
      return;
    }
    this.stage = 'up';
    this.#answered();
    this.quickMode().catch((error: unknown) => {
      this.stage = 'failed';
      throw error;
    });
  }

  /** HDR*, HASH(1), SA, Ni [, KE], IDci, IDcr [, NAT-OA, NAT-OA]  --> */
  async quickMode(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) return;
    const random = exposed(this.#ports.entropy.seed(), 2, 44);
    const spi = (u32(random, 0) | 0x100) >>> 0;
    const messageId = u32(random, 4) || 1;
    const nonce = random.subarray(8, 40);
    const dh = this.#profile.pfs === undefined ? undefined : await generateDhKey(this.#profile.pfs);
    this.#quick = { messageId, nonce, spi, dh };
    const numbers = this.#draft ? 'draft' : 'rfc3947';
    const { ours, gateway } = this.#addresses;
    const natOa: Payload[] =
      this.natDetected && this.#profile.natOa
        ? [
            { kind: 'NAT-OA', numbers, address: ours },
            { kind: 'NAT-OA', numbers, address: gateway },
          ]
        : [];
    const payloads: Payload[] = [
      phase2Offer(this.#profile, be32(spi), this.natDetected, this.#draft),
      { kind: 'NONCE', data: nonce },
      ...(dh === undefined ? [] : [{ kind: 'KE', data: dh.publicValue } as const]),
      { ...this.#id, port: this.#profile.quickModePort },
      { ...this.#id, data: gateway, port: 1701 },
      ...natOa,
    ];
    this.#transmit('qm2', channel.sealHashed(EXCHANGE.quickMode, messageId, payloads), this.port);
  }

  /** <--  HDR*, HASH(2), SA, Nr [, KE], IDci, IDcr   then   HDR*, HASH(3)  --> */
  async #onQm2(header: IsakmpHeader, chain: Chain, plain: Uint8Array): Promise<void> {
    const quick = this.#quick;
    const channel = this.#channel;
    if (quick === undefined || channel === undefined || header.messageId !== quick.messageId) return;
    const sa = linkOf(chain, 'SA');
    const nonce = linkOf(chain, 'NONCE');
    const hash = linkOf(chain, 'HASH');
    const proposal = sa?.payload.proposals[0];
    if (sa === undefined || nonce === undefined || proposal === undefined) return;
    const { keys } = channel.of;
    const rest = IsakmpChannel.afterHash(chain, plain);
    const expected = hash2(channel.hash, keys.a, quick.messageId, quick.nonce, rest);
    if (hash === undefined || !equal(hash.payload.data, expected)) throw new Error('HASH(2) is wrong');
    this.#quick = undefined;
    this.#answered();
    this.phase2 = selectedPhase2(this.#profile, sa.payload);
    if (this.phase2 === undefined) throw new Error('the gateway selected what was not offered');
    const suite = phase2Suite(this.phase2);
    const ke = linkOf(chain, 'KE');
    const agreement =
      quick.dh === undefined || ke === undefined ? undefined : await quick.dh.agree(ke.payload.data);
    const nonceR = nonce.payload.data.slice();
    const material = { hash: channel.hash, skeyidD: keys.d, nonceI: quick.nonce, nonceR };
    const sharedSecret = agreement?.ok === true ? agreement.sharedSecret : undefined;
    const outboundSpi = u32(proposal.spi);
    const pair = ipsecKeys(suite, { ...material, sharedSecret }, quick.spi, outboundSpi);
    const third = hash3(channel.hash, keys.a, quick.messageId, quick.nonce, nonceR);
    this.#ports.send(
      channel.seal(EXCHANGE.quickMode, quick.messageId, [{ kind: 'HASH', data: third }]),
      this.port,
    );
    const encapsulation = this.natDetected ? 'udp' : 'none';
    this.#ports.ipsecSa({ ...pair, suite, inboundSpi: quick.spi, outboundSpi, encapsulation });
  }

  #onInformational(header: IsakmpHeader, chain: Chain, plain: Uint8Array): void {
    const channel = this.#channel;
    const hash = linkOf(chain, 'HASH');
    if (channel === undefined || hash === undefined) return;
    const rest = IsakmpChannel.afterHash(chain, plain);
    if (!equal(hash.payload.data, hash1(channel.hash, channel.of.keys.a, header.messageId, rest))) return;
    for (const notify of payloadsOf(chain, 'N')) {
      this.notified.push(notify.notifyType);
      if (notify.notifyType === NOTIFY['R-U-THERE']) {
        this.inform([notification('R-U-THERE-ACK', notify.spi, notify.data)]);
      }
    }
    for (const gone of payloadsOf(chain, 'D')) {
      for (const spi of gone.spis)
        this.#ports.deleted(gone.protocol === PROTOCOL.ISAKMP ? 'isakmp' : u32(spi));
    }
  }

  /** HDR*, HASH(1), N/D  --> */
  inform(payloads: readonly Payload[]): void {
    if (this.#channel === undefined) return;
    const messageId = u32(exposed(this.#ports.entropy.seed(), 3, 4)) || 1;
    this.#ports.send(this.#channel.sealHashed(EXCHANGE.informational, messageId, payloads), this.port);
  }

  areYouThere(sequence: number): void {
    this.inform([notification('R-U-THERE', concat(this.#cookie, this.#responderCookie), be32(sequence))]);
  }

  /** Deletes ESP SAs by the SPIs this end receives on, as RFC 2408 §3.15 wants. */
  deleteEsp(spis: readonly number[]): void {
    this.inform([{ kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ESP, spis: spis.map(be32) }]);
  }

  deleteIsakmp(): void {
    const spis = [concat(this.#cookie, this.#responderCookie)];
    this.inform([{ kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ISAKMP, spis }]);
  }

  vanish(): void {
    this.#cancelTimer();
    this.#waiting = undefined;
  }

  #clear(payloads: readonly Payload[]): Uint8Array {
    const fields = { initiatorCookie: this.#cookie, responderCookie: this.#responderCookie };
    return emitClearMessage({ ...fields, exchange: EXCHANGE.identityProtection, messageId: 0 }, payloads);
  }

  #idBody(): Uint8Array {
    return concat(Uint8Array.of(this.#id.idType, this.#id.ipProtocol), be16(this.#id.port), this.#id.data);
  }

  #transmit(stage: string, octets: Uint8Array, port: 500 | 4500): void {
    this.#waiting = { stage, octets, port, tries: 0 };
    this.#retransmit();
  }

  #retransmit(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (waiting.tries >= TRIES_MAX) {
      this.stage = 'failed';
      return;
    }
    waiting.tries += 1;
    this.#ports.send(waiting.octets, waiting.port);
    this.#cancelTimer = this.#ports.clock.after(RETRY_MS, () => this.#retransmit());
  }

  #answered(): void {
    this.#waiting = undefined;
    this.#cancelTimer();
  }
}

function notification(
  type: keyof typeof NOTIFY,
  spi: Uint8Array,
  data: Uint8Array = new Uint8Array(0),
): NotificationPayload {
  return { kind: 'N', doi: DOI.IPSEC, protocol: PROTOCOL.ISAKMP, notifyType: NOTIFY[type], spi, data };
}
