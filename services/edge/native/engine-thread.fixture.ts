import { parentPort, workerData } from 'node:worker_threads';
import { AT, clientOf, createRig, sealerOf } from './rig.fixture.ts';

/** An engine in a thread of its own; it stays there until the thread is ended from outside. */
const {
  memory,
  number,
  packets,
  turns = 0,
} = workerData as {
  readonly memory: SharedArrayBuffer;
  readonly number: number;
  readonly packets: readonly Uint8Array[];
  readonly turns?: number;
};
const rig = createRig({ memory });
const client = clientOf(number);
rig.declare(client);
if (packets.length > 0) rig.outer(client, packets);
rig.engine.publish(AT);
const sealer = sealerOf(client);
for (let turn = 1; turn <= turns; turn += 1) {
  // A dummy packet (RFC 4303 §2.6) is a sign of life, and counted as a drop.
  rig.outer(client, [sealer.seal(new Uint8Array(4), 59)], AT + turn * 10);
  rig.engine.publish(AT + turn * 10);
}
parentPort?.postMessage('done');
setInterval(() => rig.engine.tick(AT), 1000);
