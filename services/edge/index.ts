import type { Runtime } from '@culvert/runtime';
import { createEdge } from './service/edge-service.ts';
import type { DataPlane } from './service/plane.ts';
import { createWorkerPlane } from './worker/worker-plane.ts';

export { createIvSource, type IvOptions, type IvSource } from './esp/index.ts';
export * from './pipeline/index.ts';
export { createEnginePlane, type EnginePlane, type EngineWires } from './service/engine-plane.ts';
export type { DataPlane, PlaneCommand, PlaneReport, PlaneSetup } from './service/plane.ts';
export { policyOf } from './service/policy.ts';

/** `plane` is for the simulator, which has no sockets; a real edge runs the workers. */
export function createEdgeService(
  runtime: Runtime,
  plane: DataPlane = createWorkerPlane(runtime),
): { start(): Promise<void> } {
  return createEdge(runtime, plane);
}
