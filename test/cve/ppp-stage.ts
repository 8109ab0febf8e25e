import { controlPacketOctets, emitFrame, frameLength, UNCOMPRESSED } from '@culvert/wire/ppp';
import { expect } from 'vitest';
import { CALL, type Dialled, type DialOptions, type PppWorld, pppWorld } from '../exchange/ppp/world.ts';
import type { World } from '../sim/index.ts';

export type Scene = PppWorld & { dial(options?: DialOptions): Dialled };

/** A frame from its address and control fields on. */
export function frameOctets(protocol: number, information: Uint8Array): Uint8Array {
  const frame = { protocol, information };
  const octets = new Uint8Array(frameLength(frame, UNCOMPRESSED));
  emitFrame(frame, octets, 0, UNCOMPRESSED);
  return octets;
}

export function packetOctets(
  protocol: number,
  code: number,
  identifier: number,
  data: Uint8Array,
): Uint8Array {
  return frameOctets(protocol, controlPacketOctets({ code, identifier, data }));
}

interface Held {
  readonly scene: Scene;
  readonly dialled: Dialled;
  /** A frame past the client, as somebody in its place would send it. */
  readonly inject: (octets: Uint8Array) => void;
  readonly release: () => void;
}

/** A call whose client has had that many frames of its own delivered, and no more. */
export async function afterFrames(world: World, frames: number, options: DialOptions = {}): Promise<Held> {
  const scene = await pppWorld(world);
  const dialled = scene.dial(options);
  const deliver = scene.fromClient;
  let passed = 0;
  let released = false;
  scene.fromClient = (octets) => {
    passed += 1;
    if (released || passed <= frames) deliver(octets);
  };
  await world.promised(scene.request({ type: 'link.start', call: CALL, callingStation: '198.51.100.7' }));
  await world.run(5);
  dialled.client.start();
  await world.run(500);
  return {
    scene,
    dialled,
    inject: deliver,
    release() {
      released = true;
    },
  };
}

export function expectUnharmed(scene: Scene): void {
  const { telemetry } = scene.ppp;
  expect(scene.world.broker.faults).toEqual([]);
  expect(telemetry.counters()['culvert.host.quarantined{protocol=ppp}']).toBeUndefined();
  expect([...telemetry.lines, ...scene.aaa.telemetry.lines].filter(({ level }) => level === 'error')).toEqual(
    [],
  );
}
