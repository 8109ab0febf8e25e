import { createHash } from 'node:crypto';
import {
  type CallInput,
  type ClassifyPolicy,
  callActor,
  callsOf,
  classify,
  type Heard,
  type L2tpBody,
  type L2tpEffect,
  l2tpActors,
  type TunnelInput,
  tunnelActor,
  tunnelsOf,
} from '@culvert/actors-l2tp';
import {
  changeTimers,
  fired,
  NO_TIMERS,
  nextTimer,
  type SessionState,
  stepSession,
  type TimerTable,
  timerKey,
} from '@culvert/kernel';
import {
  type ControlMessage,
  emitControlMessage,
  parseControlMessage,
  type ResultCode,
} from '@culvert/wire/l2tp';

export const POLICY: ClassifyPolicy = {
  tunnelsMax: 4,
  tunnel: {
    hostName: 'lns.example',
    vendorName: 'Culvert',
    authenticate: false,
    hideAvps: false,
    receiveWindow: 8,
    helloIdleMs: 60_000,
    callsMax: 4,
    retransmitMs: 1_000,
    retransmitCapMs: 8_000,
    retransmitMax: 5,
  },
};

type Told = Exclude<L2tpEffect, { type: 'control.transmit' }>;

/** One end: the machines of a session with real octets on the wire and a clock that the test turns. */
export class Peer {
  state: SessionState = {};
  timers: TimerTable = NO_TIMERS;
  outbox: Uint8Array[] = [];
  told: Told[] = [];
  drops: string[] = [];
  #seed = 0;
  readonly name: string;
  readonly policy: ClassifyPolicy;
  readonly secret: string | undefined;
  readonly clock: { now: number };

  constructor(name: string, clock: { now: number }, policy = POLICY, secret?: string) {
    this.name = name;
    this.clock = clock;
    this.policy = policy;
    this.secret = secret;
  }

  take(body: L2tpBody): void {
    const deliveries = classify(this.policy, { ...this.#stamp(), body }, this.state);
    if ('drop' in deliveries) this.drops.push(deliveries.drop);
    else this.step(deliveries);
  }

  step(deliveries: Parameters<typeof stepSession>[2]): void {
    const stamp = this.#stamp();
    const outcome = stepSession<L2tpEffect>(l2tpActors, this.state, deliveries, stamp);
    this.state = outcome.state;
    this.timers = changeTimers(this.timers, outcome.timers, outcome.state, stamp.at);
    for (const { effect } of outcome.effects) {
      if (effect.type !== 'control.transmit') this.told.push(effect);
      else this.outbox.push(emitControlMessage(effect.header, effect.message));
    }
  }

  receive(octets: Uint8Array): void {
    const message = parseControlMessage(octets);
    if (!message.ok) throw new Error(message.reason);
    const { header } = message.value;
    const heard = this.#hear(message.value);
    const innerPorts = { local: 1701, remote: 1701 };
    const control = { kind: 'control', innerPorts, callingStation: '192.0.2.9', header } as const;
    this.take(heard === undefined ? control : { ...control, heard });
  }

  #hear({ header, body }: ControlMessage): Heard | undefined {
    if (body === undefined) return undefined;
    const { type, values, fault } = body;
    const chap = (id: number, challenge: Uint8Array) =>
      Uint8Array.from(
        createHash('md5')
          .update(Uint8Array.of(id))
          .update(this.secret ?? '')
          .update(challenge)
          .digest(),
      );
    const challenge = tunnelsOf(this.state).find(({ context }) => context.localId === header.tunnelId)
      ?.context.challenge;
    const right =
      challenge !== undefined &&
      String(values.challengeResponse) === String(chap(type === 'SCCRP' ? 2 : 3, challenge));
    const asked =
      this.secret !== undefined && challenge !== undefined && values.challengeResponse !== undefined;
    return {
      type,
      sessionId: header.sessionId,
      values,
      ...(fault === undefined ? {} : { fault }),
      proof: asked ? (right ? 'right' : 'wrong') : 'absent',
      ...(values.challenge === undefined || this.secret === undefined
        ? {}
        : { response: chap(type === 'SCCRQ' ? 2 : 3, values.challenge) }),
    };
  }

  /** Fires the earliest timer if it is due. */
  fire(): boolean {
    const timer = nextTimer(this.timers);
    if (timer === undefined || timer.deadline > this.clock.now) return false;
    const taken = fired(this.timers, timerKey(timer.actor, timer.id), timer.generation);
    if (taken === undefined) return false;
    this.timers = taken.table;
    this.step([{ type: 'tell', to: timer.actor, event: timer.event }]);
    return true;
  }

  /** LAC: a tunnel and a call that waits for it. */
  dial(tunnel = 7, call = 70): void {
    const innerPorts = { local: 1701, remote: 1701 };
    const callingStation = '';
    const input: TunnelInput = {
      localId: tunnel,
      slot: 0,
      peerId: 0,
      innerPorts,
      callingStation,
      policy: this.policy.tunnel,
    };
    if (this.state[tunnelActor(tunnel)] === undefined) {
      this.step([{ type: 'beget', id: tunnelActor(tunnel), input }]);
    }
    const ids = { localTunnel: tunnel, peerTunnel: 0, ours: call, theirs: 0 };
    const callInput: CallInput = {
      role: 'lac',
      tunnel: tunnelActor(tunnel),
      ...ids,
      innerPorts,
      callingStation,
    };
    this.step([
      { type: 'beget', id: callActor(call), input: callInput },
      { type: 'tell', to: callActor(call), event: { type: 'LocalOpen' } },
    ]);
  }

  states(): Record<string, string> {
    return Object.fromEntries(
      [...tunnelsOf(this.state), ...callsOf(this.state)].map(({ id, value }) => [id, value]),
    );
  }

  tells(type: Told['type']): readonly Told[] {
    return this.told.filter((one) => one.type === type);
  }

  #stamp() {
    this.#seed += 1;
    const entropy = Uint8Array.from(createHash('sha256').update(`${this.name}/${this.#seed}`).digest());
    return { at: this.clock.now, entropy };
  }
}

export interface Line {
  readonly from: string;
  readonly what: string;
}

/** Both ends in one process; the test decides what is lost, and when time passes. */
export class Exchange {
  readonly clock = { now: 1_000_000 };
  readonly lac: Peer;
  readonly lns: Peer;
  readonly log: Line[] = [];
  lose: (line: Line) => boolean = () => false;

  constructor(
    policies: { lac?: ClassifyPolicy; lns?: ClassifyPolicy } = {},
    secrets: { lac?: string; lns?: string } = {},
  ) {
    this.lac = new Peer('LAC', this.clock, policies.lac, secrets.lac);
    this.lns = new Peer('LNS', this.clock, policies.lns, secrets.lns);
  }

  /** Hands over what is under way until both are quiet. */
  settle(): void {
    for (let quiet = false; !quiet; ) {
      quiet = true;
      for (const [from, to] of [
        [this.lac, this.lns],
        [this.lns, this.lac],
      ] as const) {
        for (const octets of from.outbox.splice(0)) {
          quiet = false;
          const line = { from: from.name, what: shown(octets) };
          this.log.push(line);
          if (!this.lose(line)) to.receive(octets);
        }
      }
    }
  }

  /** Lets time pass, timer by timer. */
  pass(ms: number): void {
    const until = this.clock.now + ms;
    this.settle();
    for (;;) {
      const deadlines = [this.lac, this.lns].map(
        (peer) => nextTimer(peer.timers)?.deadline ?? Number.POSITIVE_INFINITY,
      );
      const next = Math.min(...deadlines);
      if (next > until) break;
      this.clock.now = Math.max(this.clock.now, next);
      while (this.lac.fire() || this.lns.fire());
      this.settle();
    }
    this.clock.now = until;
  }

  /** The exchange in the RFC's notation; empties the log. */
  spoken(): string[] {
    return this.log.splice(0).map(({ from, what }) => (from === 'LAC' ? `${what} -->` : `<-- ${what}`));
  }

  connect(): void {
    this.lac.dial();
    this.pass(1_000);
    this.spoken();
  }
}

function shown(octets: Uint8Array): string {
  const message = parseControlMessage(octets);
  if (!message.ok) return message.reason;
  return message.value.body?.type ?? 'ZLB';
}

/** The Result Codes that the LAC is told from now on. */
export const codes = (exchange: Exchange, type: 'StopCCN' | 'CDN'): ResultCode[] => {
  const seen: ResultCode[] = [];
  const receive = exchange.lac.receive.bind(exchange.lac);
  exchange.lac.receive = (octets) => {
    const message = parseControlMessage(octets);
    if (
      message.ok &&
      message.value.body?.type === type &&
      message.value.body.values.resultCode !== undefined
    ) {
      seen.push(message.value.body.values.resultCode);
    }
    receive(octets);
  };
  return seen;
};
