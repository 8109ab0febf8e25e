import { type L2tpEffect, tunnelsOf } from '@culvert/actors-l2tp';
import { type L2tpDatagram, subjects } from '@culvert/contracts';
import type { Performer, Vault } from '@culvert/host';
import type { SessionState } from '@culvert/kernel';
import type { Runtime } from '@culvert/runtime';
import type { L2tpInput } from './inputs.ts';
import { askActivity, askIke, askPpp } from './requests.ts';
import { type SealedControl, sealed } from './seal.ts';

type Performers = {
  readonly [T in L2tpEffect['type']]: Performer<Extract<L2tpEffect, { type: T }>, L2tpInput, Vault>;
};

/** One handler per effect type, exhaustive by type. */
export function performers({ bus, config, telemetry }: Runtime): Performers {
  const secret = config.l2tp.tunnelSecret;
  return {
    'control.transmit': {
      class: 'peer',
      seal: (effect) => sealed(effect, secret),
      perform({ innerPorts, octets, bindsCall }: SealedControl, { session, shard, trace, record }) {
        const datagram: L2tpDatagram = { session, innerPorts, octets };
        const held = bindsCall && record !== undefined ? { ...datagram, after: record } : datagram;
        bus.publish(subjects.edge.l2tp(shard), held, { trace });
      },
    },
    'tunnel.opened': {
      class: 'service',
      async perform(_effect, context) {
        await askIke(bus, { type: 'tunnel.opened' }, context);
        return undefined;
      },
    },
    'tunnel.closed': {
      class: 'service',
      async perform({ reason }, context) {
        // A session may have begun another tunnel meanwhile; then it is not over.
        if (hasLiveTunnel(context.state)) return undefined;
        await askIke(bus, { type: 'tunnel.closed', reason }, context);
        return undefined;
      },
    },
    'activity.ask': {
      class: 'local',
      async perform({ tunnel }, context) {
        const answer = await askActivity(bus, context);
        const idle = answer?.idleMs === undefined ? {} : { idleMs: answer.idleMs };
        const body = { kind: 'activity', tunnel, ...idle } as const;
        return { kind: 'fact', session: context.session, body };
      },
    },
    'link.start': {
      class: 'service',
      async perform({ call, callingStation }, context) {
        if (await askPpp(bus, { type: 'link.start', call, callingStation }, context)) return undefined;
        const body = {
          kind: 'disconnect',
          call,
          reason: 'limit',
          advice: 'no resources for another link',
        } as const;
        return { kind: 'fact', session: context.session, body };
      },
    },
    'link.close': {
      class: 'service',
      async perform({ call, reason }, context) {
        if (await askPpp(bus, { type: 'link.close', call, reason }, context)) return undefined;
        // There is no link: nothing to wait for.
        const body = { kind: 'disconnect', call, reason, advice: '' } as const;
        return { kind: 'fact', session: context.session, body };
      },
    },
    'link.stop': {
      class: 'service',
      async perform({ call, reason }, context) {
        await askPpp(bus, { type: 'link.stop', call, reason }, context);
        return undefined;
      },
    },
    explain: {
      class: 'local',
      async perform({ text, result }, { session, from }) {
        // The line of the log is limited by its text, so that must not be the peer's to choose.
        telemetry.log.info({ session, actor: from, result }, text);
        return undefined;
      },
    },
    dropped: {
      class: 'local',
      async perform({ reason }) {
        telemetry.count('culvert.l2tp.dropped', { reason });
        return undefined;
      },
    },
  };
}

function hasLiveTunnel(state: SessionState): boolean {
  return tunnelsOf(state).some(({ value }) => value !== 'stopping' && value !== 'lingering');
}
