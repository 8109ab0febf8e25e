import { exchangeOf, type IkeEffect, withSeen } from '@culvert/actors-ike';
import type { Config } from '@culvert/config';
import { type IkeDatagram, subjects } from '@culvert/contracts';
import { isDhGroup } from '@culvert/crypto';
import type { Host, Performer, Performing } from '@culvert/host';
import { invariant } from '@culvert/kernel';
import type { Runtime } from '@culvert/runtime';
import { admit, announced } from './admission.ts';
import type { Agreements } from './agreements.ts';
import type { Directory } from './directory.ts';
import { datagramsOf } from './fragmenting.ts';
import type { IkeInput } from './inputs.ts';
import { reportWriter } from './reports.ts';
import { askActivity, askL2tp } from './requests.ts';
import { type SealedMessage, sealInformational, secretsOf } from './seal.ts';
import { sealClearNotify, sealMm2, sealMm4, sealMm6 } from './seal-phase-1.ts';
import { sealQm2 } from './seal-quick-mode.ts';
import type { IkeVault } from './vault.ts';

type Effect<T extends IkeEffect['type']> = Extract<IkeEffect, { type: T }>;
type Performers = { readonly [T in IkeEffect['type']]: Performer<Effect<T>, IkeInput, IkeVault> };
type Seal<T extends IkeEffect['type']> = (effect: Effect<T>, vault: IkeVault) => SealedMessage | undefined;

interface Departing extends SealedMessage {
  readonly datagrams: readonly Uint8Array[];
}

export interface Performance {
  readonly runtime: Runtime;
  readonly directory: Directory;
  readonly agreements: Agreements;
  readonly isakmpSasMax: number;
  /** The host exists only after its protocol. */
  readonly host: () => Host<IkeInput, IkeVault>;
}

/** One handler per effect type, exhaustive by type. */
export function performers({ runtime, directory, agreements, isakmpSasMax, host }: Performance): Performers {
  const { bus, config, telemetry, clock } = runtime;
  const writeReport = reportWriter(telemetry, clock);
  const peer = <T extends IkeEffect['type']>(seal: Seal<T>): Performer<Effect<T>, IkeInput, IkeVault> => ({
    class: 'peer',
    seal: (effect, { vault }) => departing(seal(effect, vault), vault, config),
    perform: (sealed: Departing | undefined, context) => transmit(runtime, sealed, context),
  });
  return {
    'mm2.send': peer<'mm2.send'>(sealMm2),
    'mm4.send': peer<'mm4.send'>(sealMm4),
    'mm6.send': peer<'mm6.send'>((effect, vault) => sealMm6(effect, vault, config.ike.identity)),
    'qm2.send': peer<'qm2.send'>(sealQm2),
    'notify.clear': peer<'notify.clear'>(sealClearNotify),
    'informational.send': peer<'informational.send'>(({ isakmpSa, messageId, payloads, path }, vault) => {
      const sa = secretsOf(vault, isakmpSa);
      // HASH(1) says nothing of direction: our own message, sent back to us, must be a replay.
      sa.table = withSeen(sa.table, messageId);
      return { path, isakmpSa, octets: sealInformational(sa, messageId, payloads), afterRecord: false };
    }),
    'answer.repeat': peer<'answer.repeat'>(({ isakmpSa, messageId, path }, vault) => {
      const answer = vault.sas[isakmpSa] && exchangeOf(vault.sas[isakmpSa].table, messageId)?.answer;
      return answer === undefined ? undefined : { isakmpSa, path, octets: answer, afterRecord: false };
    }),
    'dh.agree': { class: 'local', perform: (effect, context) => agree(agreements, effect, context) },
    'session.admit': {
      class: 'local',
      perform: (effect, context) =>
        Promise.resolve(admit(effect, context, { host: host(), directory, isakmpSasMax })),
    },
    'contact.initial': {
      class: 'local',
      perform: (effect, context) => {
        announced(effect, context, { host: host(), directory });
        return Promise.resolve(undefined);
      },
    },
    'activity.ask': {
      class: 'local',
      perform: async (_, context) => {
        const idleMs = await askActivity(bus, context);
        return { type: 'activity', session: context.session, actor: context.from, idleMs };
      },
    },
    'l2tp.request': {
      class: 'service',
      perform: async ({ request, reason }, context) => {
        const known = await askL2tp(bus, { type: request, reason }, context);
        return { type: 'told', session: context.session, known };
      },
    },
    report: {
      class: 'local',
      perform: (report, context) => {
        writeReport(report, context);
        return Promise.resolve(undefined);
      },
    },
  };
}

/** In one piece, or in fragments where the peer takes them and the piece is too long. */
function departing(
  message: SealedMessage | undefined,
  vault: IkeVault,
  { ike }: Config,
): Departing | undefined {
  if (message === undefined) return undefined;
  const octetsMax =
    vault.sas[message.isakmpSa]?.fragments === true ? ike.fragmentOctets : Number.POSITIVE_INFINITY;
  return { ...message, datagrams: datagramsOf(message.octets, octetsMax) };
}

function transmit({ bus }: Runtime, sealed: Departing | undefined, context: Performing<IkeVault>): void {
  if (sealed === undefined) return;
  const { path, afterRecord, datagrams } = sealed;
  const after = afterRecord && context.record !== undefined ? { after: context.record } : {};
  for (const octets of datagrams) {
    const datagram: IkeDatagram = { flow: path.flow, nonEspMarker: path.nonEspMarker, octets, ...after };
    bus.publish(subjects.edge.ike(path.node), datagram, { trace: context.trace });
  }
}

/** In libuv's thread pool: the event loop only pays for the hand-over. */
async function agree(
  agreements: Agreements,
  { group, peerValue }: Effect<'dh.agree'>,
  { session, from }: Performing<IkeVault>,
): Promise<IkeInput> {
  invariant(isDhGroup(group), 'a selected group is one we have');
  const response = await agreements.respond(group, peerValue);
  if (!response.ok) return { type: 'dh', session, actor: from, outcome: response };
  const { publicValue, sharedSecret } = response;
  const octets = sharedSecret.expose();
  sharedSecret.wipe();
  return { type: 'dh', session, actor: from, outcome: { ok: true, publicValue, sharedSecret: octets } };
}
