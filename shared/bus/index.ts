export {
  type Bucket,
  type Bus,
  BusUnavailable,
  type Entry,
  type Message,
  type PublishOptions,
  RevisionConflict,
  type Subscription,
} from './bus.ts';
export { decode, encode, NotPlainData } from './codec.ts';
export { natsVersion } from './greeting.ts';
export { connectNats, type NatsOptions } from './nats.ts';
export type { BusObserver } from './observer.ts';
