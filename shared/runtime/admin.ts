import type { Bus } from '@culvert/bus';
import { type ServiceName, type ServiceStatus, subjects } from '@culvert/contracts';
import type { Telemetry } from '@culvert/telemetry';
import type { AdminSource } from './runtime.ts';

export type Memory = Pick<ServiceStatus, 'memoryBytes' | 'inUseBytes'>;

/** What every service says of itself in `status`, apart from what it knows of its sessions. */
export interface AdminPorts {
  readonly service: ServiceName;
  readonly node: string;
  readonly version: string;
  readonly startedAt: number;
  readonly bus: Bus;
  readonly telemetry: Telemetry;
  readonly process: { readonly pid: number; memory(): Memory };
  state(): ServiceStatus['state'];
}

/** Answers `culvert.admin.<service>.*`: `session` takes `{ session }` and answers null for an unknown one. */
export function answerAdmin(source: AdminSource, ports: AdminPorts): void {
  const { bus, service } = ports;
  bus.respond(subjects.admin.status(service), (): ServiceStatus => {
    const { sessions, details, starting } = source.status();
    const state = ports.state();
    return {
      service,
      node: ports.node,
      pid: ports.process.pid,
      version: ports.version,
      startedAt: ports.startedAt,
      state: starting === true && state === 'serving' ? 'starting' : state,
      sessions,
      ...ports.process.memory(),
      counters: ports.telemetry.counters(),
      details,
    };
  });
  if (source.sessions !== undefined) {
    const { sessions } = source;
    bus.respond(subjects.admin.sessions(service), () => sessions());
  }
  if (source.session !== undefined) {
    const { session } = source;
    bus.respond<{ readonly session?: unknown }>(subjects.admin.session(service), ({ payload }) =>
      typeof payload?.session === 'string' ? (session(payload.session) ?? null) : null,
    );
  }
}
