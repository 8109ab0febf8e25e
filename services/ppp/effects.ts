import type { PppEffect } from '@culvert/actors-ppp';
import { type PppFrame, subjects } from '@culvert/contracts';
import type { Performer, Vault } from '@culvert/host';
import type { Runtime } from '@culvert/runtime';
import { bareFrame } from '@culvert/wire/ppp';
import type { EarlyFrames } from './early.ts';
import type { PppInput } from './inputs.ts';
import { askLease, askOffer, askVerdict, tellDisconnect, tellRelease } from './requests.ts';

type Performers = {
  readonly [T in PppEffect['type']]: Performer<Extract<PppEffect, { type: T }>, PppInput, Vault>;
};

/** Questions to aaa may wait long; the call's end must not wait behind them. */
const AAA = 'aaa';

/** One handler per effect type, exhaustive by type. */
export function performers({ bus, telemetry }: Runtime, early: EarlyFrames): Performers {
  return {
    'frame.send': {
      class: 'peer',
      seal: ({ call, protocol, information }) => ({ call, octets: bareFrame({ protocol, information }) }),
      perform({ call, octets }: Pick<PppFrame, 'call' | 'octets'>, { session, shard, trace, record }) {
        const frame: PppFrame = { session, call, octets };
        // The step wrote a record, so its forwarding entries may be new: they come first.
        bus.publish(subjects.edge.ppp(shard), record === undefined ? frame : { ...frame, after: record }, {
          trace,
        });
      },
    },
    'early.take': {
      class: 'local',
      async perform({ call }, { session }) {
        const packet = early.take(session, call);
        return packet && { kind: 'packet', packet };
      },
    },
    'aaa.offer': {
      class: 'service',
      lane: AAA,
      perform: (effect, context) => askOffer(bus, effect, context),
    },
    'aaa.authenticate': {
      class: 'service',
      lane: AAA,
      perform: (effect, context) => askVerdict(bus, effect, context),
    },
    'aaa.lease': {
      class: 'service',
      lane: AAA,
      perform: (effect, context) => askLease(bus, effect, context),
    },
    'aaa.release': {
      class: 'service',
      lane: AAA,
      async perform(effect, context) {
        await tellRelease(bus, effect, context);
        return undefined;
      },
    },
    'call.disconnect': {
      class: 'service',
      async perform(effect, context) {
        await tellDisconnect(bus, effect, context);
        return undefined;
      },
    },
    explain: {
      class: 'local',
      async perform({ level, call, note }, { session }) {
        telemetry.log[level]({ session, call, ...note.fields }, note.message);
        const { reason } = note.fields;
        telemetry.count('culvert.ppp.links', { event: reason === undefined ? 'opened' : String(reason) });
        return undefined;
      },
    },
  };
}
