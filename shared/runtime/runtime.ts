import type { Bus } from '@culvert/bus';
import type { Config } from '@culvert/config';
import type { ServiceName, ServiceStatus, SessionSummary } from '@culvert/contracts';
import type { Secret } from '@culvert/crypto';
import type { Clock, EntropySource, Sealer } from '@culvert/host';
import type { Telemetry } from '@culvert/telemetry';

/**
 * All that a service stands on. `boot(name)` makes the real one from the process's environment; the
 * simulator makes one from its virtual clock, chance and in-memory bus. A service never reaches around it.
 */
export interface Runtime {
  readonly service: ServiceName;
  readonly node: string;
  readonly config: Config;
  readonly bus: Bus;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly entropy: EntropySource;
  readonly sealer: Sealer;
  /** For `shardOfCookie`: from the cluster's key, so that every node and every start routes alike. */
  readonly shardKey: Secret;
  /** Answers the admin subjects of this service. */
  serveAdmin(source: AdminSource): void;
  /** Called once, in reverse order of registration, when the process is asked to stop. */
  onStop(stop: () => Promise<void> | void): void;
}

export interface AdminSource {
  /** `starting`: what the service needs is not there yet, so it cannot serve. */
  status(): Pick<ServiceStatus, 'sessions' | 'details'> & { readonly starting?: boolean };
  sessions?(): readonly SessionSummary[];
  session?(session: string): SessionSummary | undefined;
}
