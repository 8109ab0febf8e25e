import {
  chapResponse,
  ntPasswordHash,
  ntResponse,
  octetsOf,
  type Secret,
  verifyAuthenticatorResponse,
} from '@culvert/crypto';
import type { Clock, EntropySource } from '@culvert/host';
import { exposed } from '@culvert/kernel';
import { be32, concat, u32 } from '@culvert/wire';
import {
  accmOption,
  authenticationProtocolOption,
  type ControlPacket,
  type CpOption,
  chapAlgorithms,
  chapCodes,
  codes,
  controlPacketOctets,
  emitAuthenticateRequest,
  emitChapValue,
  emitFrame,
  emitMagicData,
  emitMsChapV2Response,
  frameLength,
  interfaceIdentifierOption,
  ipcpOptions,
  ipv4Option,
  ipv6cpOptions,
  lcpOptions,
  magicNumberOption,
  mruOption,
  optionOf,
  papCodes,
  parseAuthenticationProtocol,
  parseChapValue,
  parseControlPacket,
  parseFrame,
  parseMsChapFailure,
  parseMsChapSuccess,
  protocols,
  UNCOMPRESSED,
} from '@culvert/wire/ppp';
import { adoptValues, Negotiation } from './negotiation.ts';
import type { AuthChoice, PppProfile } from './profile.ts';

export interface PppPorts {
  readonly clock: Clock;
  readonly entropy: EntropySource;
  /** A frame from its address and control fields on. */
  send(frame: Uint8Array): void;
  /** An IP packet for this client. */
  packet(octets: Uint8Array): void;
  opened(): void;
  ended(why: string): void;
}

export interface PppAddresses {
  ipv4?: Uint8Array;
  gateway4?: Uint8Array;
  dns: Uint8Array[];
  interfaceId?: Uint8Array;
}

const AUTHENTICATE_MS = 3000;
const AUTHENTICATE_MAX = 8;
const ZERO4 = new Uint8Array(4);
const text = new TextEncoder();
const untext = new TextDecoder();

/** A stock client's end of PPP: LCP, authentication as peer, IPCP and IPV6CP, with its profile's habits. */
export class PppClient {
  readonly #profile: PppProfile;
  readonly #ports: PppPorts;
  readonly #user: Uint8Array;
  readonly #password: Secret;
  readonly #lcp: Negotiation;
  readonly #ipcp: Negotiation;
  readonly #ipv6cp: Negotiation;
  readonly #magic: number;
  #wanted: AuthChoice | 'none' = 'none';
  #answered:
    | { readonly challenge: Uint8Array; readonly peerChallenge: Uint8Array; readonly response: Uint8Array }
    | undefined;
  /** Stops the repetition of what asks for a verdict. */
  #verdict: () => void = () => {};
  readonly addresses: PppAddresses = { dns: [] };
  /** Protocols the gateway Protocol-Rejected, in order. */
  readonly rejected: number[] = [];
  /** The gateway's own words of refusal. */
  refusal = '';
  echoReplies = 0;

  constructor(profile: PppProfile, user: string, password: Secret, ports: PppPorts) {
    this.#profile = profile;
    this.#ports = ports;
    this.#user = text.encode(user);
    this.#password = password;
    this.#magic = u32(exposed(ports.entropy.seed(), 4, 4)) || 1;
    this.#lcp = this.#makeLcp();
    this.#ipcp = this.#makeIpcp();
    this.#ipv6cp = this.#makeIpv6cp();
  }

  get lcpState(): string {
    return this.#lcp.state;
  }

  get networkUp(): boolean {
    return this.#ipcp.state === 'opened';
  }

  get ipv6Up(): boolean {
    return this.#ipv6cp.state === 'opened';
  }

  start(): void {
    this.#lcp.open();
  }

  hangUp(): void {
    if (this.#lcp.state === 'opened') this.#lcp.close();
  }

  vanish(): void {
    this.#verdict();
    for (const layer of [this.#lcp, this.#ipcp, this.#ipv6cp]) layer.stop();
  }

  sendPacket(octets: Uint8Array): void {
    const protocol = (octets[0] ?? 0) >>> 4 === 6 ? protocols.ipv6 : protocols.ipv4;
    this.#frame(protocol, octets);
  }

  echo(): void {
    const data = emitMagicData({ magic: this.#magic, rest: new Uint8Array(0) });
    this.#frame(protocols.lcp, controlPacketOctets({ code: codes.echoRequest, identifier: 1, data }));
  }

  receive(octets: Uint8Array): void {
    const frame = parseFrame(octets);
    if (!frame.ok) return;
    const { protocol, information } = frame.value;
    switch (protocol) {
      case protocols.lcp:
        this.#lcp.receive(information);
        break;
      case protocols.chap:
        this.#onChap(information);
        break;
      case protocols.pap:
        this.#onPap(information);
        break;
      case protocols.ipcp:
        this.#ipcp.receive(information);
        break;
      case protocols.ipv6cp:
        this.#ipv6cp.receive(information);
        break;
      case protocols.ipv4:
      case protocols.ipv6:
        this.#ports.packet(information);
    }
  }

  #makeLcp(): Negotiation {
    const extra: Readonly<Record<number, CpOption>> = {
      [lcpOptions.accm]: accmOption(0),
      [lcpOptions.callback]: { type: lcpOptions.callback, data: Uint8Array.of(6) },
      [lcpOptions.mrru]: { type: lcpOptions.mrru, data: Uint8Array.of(0x06, 0x4e) },
    };
    const habits = this.#profile.lcp.flatMap((type) => extra[type] ?? []);
    const flag = (type: number): CpOption => ({ type, data: new Uint8Array(0) });
    const wishes = [
      mruOption(this.#profile.mru),
      magicNumberOption(this.#magic),
      flag(lcpOptions.pfc),
      flag(lcpOptions.acfc),
      ...habits,
    ];
    return new Negotiation(
      { wishes, judge: (option) => this.#judgeLcp(option), adopt: adoptValues },
      {
        clock: this.#ports.clock,
        send: (packet) => this.#frame(protocols.lcp, packet),
        opened: (_, theirs) => this.#onLcpOpened(theirs),
        closed: (why) => {
          this.vanish();
          this.#ports.ended(this.refusal || `LCP: ${why}`);
        },
        other: (packet) => this.#onLcp(packet),
      },
    );
  }

  #judgeLcp(option: CpOption): 'ack' | 'reject' | { readonly nak: CpOption } {
    if (option.type !== lcpOptions.authenticationProtocol) {
      const known = [
        lcpOptions.mru,
        lcpOptions.accm,
        lcpOptions.magicNumber,
        lcpOptions.pfc,
        lcpOptions.acfc,
      ];
      return known.some((type) => type === option.type) ? 'ack' : 'reject';
    }
    const asked = parseAuthenticationProtocol(option.data);
    if (!asked.ok) return 'reject';
    const choice = choiceOf(asked.value.protocol, asked.value.algorithm);
    if (choice !== undefined && this.#profile.auth.includes(choice)) {
      this.#wanted = choice;
      return 'ack';
    }
    return { nak: optionFor(this.#profile.auth[0] ?? 'pap') };
  }

  #onLcpOpened(theirs: readonly CpOption[]): void {
    for (const name of this.#profile.identification) {
      const data = concat(be32(this.#magic), text.encode(name));
      this.#frame(protocols.lcp, controlPacketOctets({ code: codes.identification, identifier: 9, data }));
    }
    if (optionOf(theirs, lcpOptions.authenticationProtocol) === undefined) this.#network();
    else if (this.#wanted === 'pap') this.#sendPap();
  }

  #onLcp(packet: ControlPacket): boolean {
    switch (packet.code) {
      case codes.echoRequest: {
        const data = concat(be32(this.#magic), packet.data.subarray(4));
        const reply = { code: codes.echoReply, identifier: packet.identifier, data };
        this.#frame(protocols.lcp, controlPacketOctets(reply));
        return true;
      }
      case codes.echoReply:
        this.echoReplies += 1;
        return true;
      case codes.protocolReject: {
        const protocol = ((packet.data[0] ?? 0) << 8) | (packet.data[1] ?? 0);
        this.rejected.push(protocol);
        // RFC 1661 §5.7: it must stop sending packets of that protocol.
        if (protocol === protocols.ipv6cp) this.#ipv6cp.stop();
        return true;
      }
      default:
        return packet.code === codes.identification || packet.code === codes.discardRequest;
    }
  }

  #sendPap(): void {
    const data = emitAuthenticateRequest({ peerId: this.#user, password: octetsOf(this.#password) });
    const request = { code: papCodes.authenticateRequest, identifier: 1, data };
    this.#ask(protocols.pap, controlPacketOctets(request));
  }

  #onPap(octets: Uint8Array): void {
    const packet = parseControlPacket(octets);
    if (!packet.ok) return;
    if (packet.value.code === papCodes.authenticateAck) this.#network();
    else this.refusal = `PAP Nak ${untext.decode(packet.value.data.subarray(1))}`;
  }

  #onChap(octets: Uint8Array): void {
    const packet = parseControlPacket(octets);
    if (!packet.ok || this.#lcp.state !== 'opened') return;
    const { code, identifier, data } = packet.value;
    if (code === chapCodes.challenge) this.#onChallenge(identifier, data);
    else if (code === chapCodes.success) this.#onSuccess(data);
    else if (code === chapCodes.failure) this.refusal = `CHAP Failure ${failureText(data)}`;
  }

  #onChallenge(identifier: number, data: Uint8Array): void {
    const challenge = parseChapValue(data);
    if (!challenge.ok) return;
    const value = this.#wanted === 'ms-chap-v2' ? this.#msChap(challenge.value.value) : undefined;
    const body = value ?? chapResponse(identifier, this.#password, challenge.value.value);
    const response = emitChapValue({ value: body, name: this.#user });
    this.#frame(
      protocols.chap,
      controlPacketOctets({ code: chapCodes.response, identifier, data: response }),
    );
  }

  /** The answer may get lost: RFC 1334 §2.2 and RFC 1994 §4.2 have the authenticator take repetitions. */
  #ask(protocol: number, packet: Uint8Array, tries = 0): void {
    this.#verdict();
    if (tries >= AUTHENTICATE_MAX) return;
    this.#frame(protocol, packet);
    this.#verdict = this.#ports.clock.after(AUTHENTICATE_MS, () => this.#ask(protocol, packet, tries + 1));
  }

  #msChap(challenge: Uint8Array): Uint8Array {
    const peerChallenge = exposed(this.#ports.entropy.seed(), 5, 16);
    const exchange = { authenticatorChallenge: challenge, peerChallenge, userName: this.#user };
    const response = ntResponse(exchange, this.#ntHash());
    this.#answered = { challenge: challenge.slice(), peerChallenge, response };
    return emitMsChapV2Response({ peerChallenge, ntResponse: response });
  }

  #onSuccess(data: Uint8Array): void {
    const answered = this.#answered;
    if (this.#wanted === 'ms-chap-v2') {
      const success = parseMsChapSuccess(data);
      if (answered === undefined || !success.ok) return;
      const { challenge, peerChallenge, response } = answered;
      const exchange = { authenticatorChallenge: challenge, peerChallenge, userName: this.#user };
      // RFC 2759 §5: a client that cannot verify the authenticator ends the link.
      const said = success.value.authenticatorResponse;
      if (!verifyAuthenticatorResponse(exchange, this.#ntHash(), response, said)) {
        this.refusal = 'the gateway does not know the password';
        this.#lcp.close();
        return;
      }
    }
    this.#network();
  }

  #ntHash(): Uint8Array {
    return ntPasswordHash(untext.decode(octetsOf(this.#password)));
  }

  #network(): void {
    this.#verdict();
    for (const ncp of this.#profile.ncps) {
      if (ncp === 'ipcp') this.#ipcp.open();
      else if (ncp === 'ipv6cp') this.#ipv6cp.open();
      else {
        const protocol = ncp === 'ccp' ? protocols.ccp : protocols.acsp;
        const wish = ncp === 'ccp' ? Uint8Array.of(18, 6, 0, 0, 0, 1) : new Uint8Array(0);
        const request = { code: codes.configureRequest, identifier: 1, data: wish };
        this.#frame(protocol, controlPacketOctets(request));
      }
    }
  }

  #makeIpcp(): Negotiation {
    const { wins, vanJacobson } = this.#profile;
    const ask = (type: number) => ipv4Option(type, ZERO4);
    const wishes = [
      ...(vanJacobson ? [{ type: ipcpOptions.ipCompression, data: Uint8Array.of(0, 0x2d, 15, 1) }] : []),
      ask(ipcpOptions.ipAddress),
      ask(ipcpOptions.primaryDns),
      ...(wins ? [ask(ipcpOptions.primaryNbns)] : []),
      ask(ipcpOptions.secondaryDns),
      ...(wins ? [ask(ipcpOptions.secondaryNbns)] : []),
    ];
    return new Negotiation(
      {
        wishes,
        judge: (option) => (option.type === ipcpOptions.ipAddress ? 'ack' : 'reject'),
        adopt: adoptValues,
      },
      {
        clock: this.#ports.clock,
        send: (packet) => this.#frame(protocols.ipcp, packet),
        opened: (ours, theirs) => this.#onIpcpOpened(ours, theirs),
        closed: (why) => this.#ports.ended(`IPCP: ${why}`),
        other: () => false,
      },
    );
  }

  #onIpcpOpened(ours: readonly CpOption[], theirs: readonly CpOption[]): void {
    const address = optionOf(ours, ipcpOptions.ipAddress)?.data;
    const gateway = optionOf(theirs, ipcpOptions.ipAddress)?.data;
    if (address !== undefined) this.addresses.ipv4 = address.slice();
    if (gateway !== undefined) this.addresses.gateway4 = gateway.slice();
    const servers = [ipcpOptions.primaryDns, ipcpOptions.secondaryDns].flatMap(
      (type) => optionOf(ours, type)?.data ?? [],
    );
    this.addresses.dns = servers.filter((server) => u32(server) !== 0).map((server) => server.slice());
    this.#ports.opened();
  }

  #makeIpv6cp(): Negotiation {
    const identifier = exposed(this.#ports.entropy.seed(), 6, 8);
    return new Negotiation(
      {
        wishes: [interfaceIdentifierOption(identifier)],
        judge: (option) => (option.type === ipv6cpOptions.interfaceIdentifier ? 'ack' : 'reject'),
        adopt: adoptValues,
      },
      {
        clock: this.#ports.clock,
        send: (packet) => this.#frame(protocols.ipv6cp, packet),
        opened: (ours) => {
          this.addresses.interfaceId = ours[0]?.data.slice() ?? identifier;
        },
        closed: () => {},
        other: () => false,
      },
    );
  }

  #frame(protocol: number, information: Uint8Array): void {
    const frame = { protocol, information };
    const octets = new Uint8Array(frameLength(frame, UNCOMPRESSED));
    emitFrame(frame, octets, 0, UNCOMPRESSED);
    this.#ports.send(octets);
  }
}

function choiceOf(protocol: number, algorithm: number | undefined): AuthChoice | undefined {
  if (protocol === protocols.pap) return 'pap';
  if (protocol !== protocols.chap) return undefined;
  if (algorithm === chapAlgorithms.msChapV2) return 'ms-chap-v2';
  return algorithm === chapAlgorithms.md5 ? 'chap-md5' : undefined;
}

function optionFor(choice: AuthChoice): CpOption {
  if (choice === 'pap') return authenticationProtocolOption({ protocol: protocols.pap });
  const algorithm = choice === 'ms-chap-v2' ? chapAlgorithms.msChapV2 : chapAlgorithms.md5;
  return authenticationProtocolOption({ protocol: protocols.chap, algorithm });
}

function failureText(data: Uint8Array): string {
  const failure = parseMsChapFailure(data);
  return failure.ok ? `E=${failure.value.error} R=${failure.value.retry ? 1 : 0}` : untext.decode(data);
}
