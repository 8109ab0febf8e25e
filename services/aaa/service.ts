import { BusUnavailable, type Subscription } from '@culvert/bus';
import { type AuthAnswer, buckets, type LeaseAnswer, subjects, type Taken } from '@culvert/contracts';
import type { Runtime } from '@culvert/runtime';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import { startCollector } from './collect.ts';
import { type Directory, openDirectory } from './directory.ts';
import { type Leases, openLeases } from './leases.ts';
import { BUCKET_RETRY_MS } from './limits.ts';
import { offer } from './offer.ts';
import { pool4, pool6 } from './pool.ts';
import { authQuestionOf, leaseQuestionOf, leaseReleaseOf } from './questions.ts';

export interface AaaService {
  start(): Promise<void>;
}

/** Users, logins and addresses, answered over the bus. Any number of instances share the questions. */
export function createAaaService(runtime: Runtime): AaaService {
  return {
    async start() {
      const directory = openDirectory(runtime);
      const authenticator = createAuthenticator({
        ...runtime,
        methods: runtime.config.ppp.authentication,
        directory,
      });
      const pools = poolsOf(runtime);
      let leases: Leases | undefined;
      runtime.onStop(() => directory.close());
      runtime.serveAdmin({
        status: () => ({
          sessions: leases?.table.live ?? 0,
          starting: leases === undefined,
          details: details(runtime, directory, authenticator, leases, pools),
        }),
      });
      answerLogins(runtime, directory, authenticator);
      leases = await openStore(runtime, directory, pools);
      if (leases !== undefined) answerLeases(runtime, leases);
    },
  };
}

type Pools = ReturnType<typeof poolsOf>;

function poolsOf({ config }: Runtime) {
  const { ipv4, ipv6, gateway4 } = config.pool;
  return { pool4: pool4(ipv4, gateway4), pool6: ipv6 === undefined ? undefined : pool6(ipv6), gateway4 };
}

function answerLogins(runtime: Runtime, directory: Directory, authenticator: Authenticator): void {
  const { bus, config, telemetry } = runtime;
  const { methods } = offer(config.ppp.authentication, directory);
  if (methods.length === 0) {
    telemetry.log.warn(
      { configured: config.ppp.authentication.join(', ') },
      'no user can log in: ppp.authentication allows CHAP-MD5 only and no user was added with --chap',
    );
  }
  answer(
    runtime,
    bus.respond(subjects.aaa.offer, () => offer(config.ppp.authentication, directory)),
  );
  answer(
    runtime,
    bus.respond(subjects.aaa.authenticate, async ({ payload, trace }): Promise<AuthAnswer> => {
      const question = authQuestionOf(payload);
      if (question === undefined) {
        telemetry.count('aaa_malformed', { subject: 'authenticate' });
        return { accepted: false, reason: 'unavailable' };
      }
      const attributes = { 'culvert.session': question.session, method: question.proof.method };
      return telemetry.span('aaa authenticate', trace, attributes, async (span) => {
        const judged = await authenticator.authenticate(question);
        span.set({ accepted: judged.accepted, ...(judged.accepted ? {} : { reason: judged.reason }) });
        return judged;
      });
    }),
  );
}

function answerLeases(runtime: Runtime, leases: Leases): void {
  const { bus, telemetry } = runtime;
  answer(
    runtime,
    bus.respond(subjects.aaa.lease, async ({ payload, trace }): Promise<LeaseAnswer> => {
      const question = leaseQuestionOf(payload);
      if (question === undefined) {
        telemetry.count('aaa_malformed', { subject: 'lease' });
        return { leased: false, reason: 'unavailable' };
      }
      return telemetry.span('aaa lease', trace, { 'culvert.session': question.session }, async (span) => {
        const given = await leases.lease(question);
        span.set(given.leased ? { address: given.ipv4?.address ?? '' } : { reason: given.reason });
        return given;
      });
    }),
  );
  answer(
    runtime,
    bus.respond(subjects.aaa.release, async ({ payload }): Promise<Taken> => {
      const release = leaseReleaseOf(payload);
      if (release === undefined) telemetry.count('aaa_malformed', { subject: 'release' });
      else await leases.release(release);
      return { taken: true };
    }),
  );
}

/** Asks for the buckets until they are there: NATS may come up after us. */
async function openStore(runtime: Runtime, directory: Directory, pools: Pools): Promise<Leases | undefined> {
  const { bus, clock, telemetry } = runtime;
  let stopped = false;
  runtime.onStop(() => {
    stopped = true;
  });
  while (!stopped) {
    try {
      const bucket = await bus.bucket(buckets.leases);
      const ppp = await bus.bucket(buckets.ppp);
      const leases = await openLeases({ ...runtime, ...pools, bucket, directory });
      const collector = await startCollector({ ...runtime, leases: bucket, ppp, table: leases.table });
      runtime.onStop(() => {
        collector.close();
        leases.close();
      });
      return leases;
    } catch (error) {
      if (!(error instanceof BusUnavailable)) throw error;
      telemetry.log.warn({}, 'the lease store does not answer yet; addresses are refused until it does');
      await new Promise<void>((resolve) => clock.after(BUCKET_RETRY_MS, resolve));
    }
  }
  return undefined;
}

function answer(runtime: Runtime, subscription: Subscription): void {
  runtime.onStop(() => subscription.close());
}

/** What `culvert status` shows beside the counters. */
function details(
  { config }: Runtime,
  directory: Directory,
  authenticator: Authenticator,
  leases: Leases | undefined,
  pools: Pools,
) {
  return {
    users: directory.size,
    usersFile: directory.faults.length === 0 ? 'in use' : `refused: ${directory.faults[0]?.field ?? ''}`,
    methods: offer(config.ppp.authentication, directory).methods.join(', '),
    ipv4: { pool: config.pool.ipv4, size: pools.pool4.size },
    ...(pools.pool6 === undefined ? {} : { ipv6: { pool: config.pool.ipv6, size: pools.pool6.size } }),
    leases: leases === undefined ? 'waiting for the store' : leases.table.live,
    quarantined: leases?.table.quarantined ?? 0,
    watchedUsers: authenticator.watched.users,
    watchedSources: authenticator.watched.sources,
  };
}
