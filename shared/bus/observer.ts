/** Where the bus says what happens to it; a service's telemetry fits as it is. */
export interface BusObserver {
  count(name: string, attributes?: Readonly<Record<string, string>>): void;
  readonly log: {
    debug(fields: object, message: string): void;
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

const nothing = () => undefined;

export const silent: BusObserver = {
  count: nothing,
  log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
};
