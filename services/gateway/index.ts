export { configFileFor, newPassword } from './first-run.ts';
export { LaunchFailed, type LaunchOptions, launch } from './launch.ts';
export { NatsRefused, serverVersion } from './nats-choice.ts';
export { findNatsServer, meetsFloor, type NatsBinary, natsWanted } from './nats-server.ts';
export { type RunState, readRunState, runStatePath } from './run-state.ts';
export { jsonSays, plainSays, readable, type Says } from './says.ts';
export { serverAddresses } from './surroundings.ts';
