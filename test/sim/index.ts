export type { Broker, MessageFaults, SimBus } from './broker.ts';
export type { StoreFaults } from './bucket.ts';
export type { Chance } from './chance.ts';
export type { VirtualClock } from './clock.ts';
export type { Datagram, LinkFaults, Network, SimSocket } from './network.ts';
export { type SimProcess, type SimRuntime, simProcess, simRuntime } from './runtime.ts';
export { createWorld, inWorld, type World, type WorldOptions } from './world.ts';
