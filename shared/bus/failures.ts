import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { BusUnavailable, RevisionConflict } from './bus.ts';

/** What a NATS failure means to a caller: whether what was asked may have been done all the same. */
export function failureOf(error: unknown, what: string): Error {
  if (error instanceof BusUnavailable || error instanceof RevisionConflict) return error;
  // A subject, key or option that is wrong is a fault of ours, and trying again does not help.
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.InvalidSubjectError)
    return error;
  if (error instanceof JetStreamApiError) {
    // 10164 is the same refusal from servers that do not know the last sequence.
    const conflict =
      error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown;
    if (conflict) return new RevisionConflict(`${what}: ${error.message}`);
    // Storage that is full, moving or without a leader: it says no, but not always before it wrote.
    return new BusUnavailable(`${what}: ${error.message} (${error.code})`, true);
  }
  if (nobodyThere(error)) return new BusUnavailable(`${what}: nobody responds`);
  const name = error instanceof Error ? error.name : 'failed';
  return new BusUnavailable(`${what}: ${name}`, true);
}

/** The server itself says that nobody listens: nothing was done. */
function nobodyThere(error: unknown): boolean {
  if (error instanceof errors.NoRespondersError) return true;
  if (error instanceof errors.RequestError && error.isNoResponders()) return true;
  return (
    error instanceof Error && error.cause !== undefined && error.cause !== error && nobodyThere(error.cause)
  );
}
