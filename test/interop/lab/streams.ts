/**
 * Counts what the gateway's NATS server keeps, as JSON.
 *
 *   node streams.ts STATE_DIRECTORY
 */
import { readRunState } from '@culvert/service-gateway';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const [stateDir = '.'] = process.argv.slice(2);
const run = readRunState(stateDir);
if (run === undefined) throw new Error(`no gateway runs on ${stateDir}`);
const { url, user, password } = run.nats;
const connection = await connect({
  servers: url,
  ...(user !== undefined && { user }),
  ...(password !== undefined && { pass: password }),
});
const manager = await jetstreamManager(connection);
const messages: Record<string, number> = {};
const keys: Record<string, number> = {};
let consumers = 0;
for await (const { config, state } of manager.streams.list()) {
  messages[config.name] = state.messages;
  consumers += state.consumer_count;
  keys[config.name] = await present(config.name);
}
process.stdout.write(JSON.stringify({ messages, keys, consumers }));
await connection.close();

/** One by one: a watch would leave a consumer behind, and those are counted. */
async function present(stream: string): Promise<number> {
  const { state } = await manager.streams.info(stream, { subjects_filter: '>' });
  let count = 0;
  for (const subject of Object.keys(state.subjects ?? {})) {
    const last = await manager.streams.getMessage(stream, { last_by_subj: subject });
    if (last !== null && !last.header.has('KV-Operation')) count += 1;
  }
  return count;
}
