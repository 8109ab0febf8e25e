import type { ForwardEntry } from '@culvert/contracts';
import { hex } from '@culvert/wire';
import { expect, test } from 'vitest';
import {
  callEntry,
  linkEntry,
  OTHER,
  packet4,
  packet6,
  policyFor,
  SESSION,
  saEntry,
} from '../pipeline/session-fixture.ts';
import { createDispatch } from './dispatch.ts';
import { createElsewhere, destinationKey, keysOf, spiKey } from './elsewhere.ts';
import type { WorkerCommand } from './task.ts';

const declaration = (bucket: string, ...entries: ForwardEntry[]) => ({
  type: 'declare' as const,
  declaration: { session: entries[0]?.session ?? SESSION, bucket, entries },
});

function crewOf(workers: number) {
  const posted: (readonly [number, WorkerCommand])[] = [];
  const { dispatch } = createDispatch(workers, (worker, command) => posted.push([worker, command]));
  const take = () => posted.splice(0).map(([worker, command]) => [worker, command.type] as const);
  return { dispatch, take, posted };
}

test('a session lives where its SPI steers, and what came before its SA follows', () => {
  const { dispatch, take } = crewOf(4);
  dispatch(declaration('l2tp', callEntry()));
  dispatch(declaration('ppp', linkEntry()));
  expect(take()).toEqual([]);
  dispatch(declaration('ike', saEntry({ inboundSpi: 0x0140_0106 })));
  expect(take().filter(([worker]) => worker === 2)).toEqual([
    [2, 'declare'],
    [2, 'declare'],
    [2, 'declare'],
  ]);
  dispatch({ type: 'ppp', frame: { session: SESSION, call: 12, octets: hex('c021') } });
  dispatch({ type: 'grant', session: SESSION, inboundSpi: 1, first: 1, end: 2 });
  dispatch({ type: 'ike', session: SESSION, flow: saEntry().flow, nonEspMarker: true, octets: hex('00') });
  expect(take()).toEqual([
    [2, 'ppp'],
    [2, 'grant'],
    [2, 'ike'],
  ]);
  dispatch({ type: 'ike', flow: saEntry().flow, nonEspMarker: true, octets: hex('00') });
  dispatch({
    type: 'l2tp',
    datagram: { session: OTHER, innerPorts: { local: 1701, remote: 1701 }, octets: hex('c8') },
  });
  expect(take()).toEqual([
    [0, 'ike'],
    [0, 'l2tp'],
  ]);
  dispatch({ type: 'policy', policy: policyFor() });
  expect(take().map(([worker]) => worker)).toEqual([0, 1, 2, 3]);
});

test('a second SA with another steering octet stays with its session, and the others know', () => {
  const { dispatch, posted } = crewOf(2);
  dispatch(declaration('ike', saEntry({ inboundSpi: 0x0140_0100 }), saEntry({ inboundSpi: 0x0140_0201 })));
  const elsewhere = createElsewhere();
  for (const [worker, command] of posted) {
    if (worker === 1 && command.type === 'elsewhere')
      elsewhere.learn(command.session, command.worker, command.keys);
  }
  expect(elsewhere.find(spiKey(0x0140_0201))).toBe(0);
  expect(elsewhere.find(spiKey(0x0140_0202))).toBeUndefined();
});

test('inner addresses are found by packet, and forgotten with the session', () => {
  const elsewhere = createElsewhere();
  elsewhere.learn(SESSION, 3, keysOf([declaration('ppp', linkEntry()).declaration]));
  const find = (packet: Uint8Array) => {
    const key = destinationKey(packet);
    return key === undefined ? undefined : elsewhere.find(key);
  };
  expect(find(packet4('192.0.2.80', '10.99.0.7'))).toBe(3);
  expect(find(packet6('2001:db8::1', '2001:db8:99:7::77'))).toBe(3);
  expect(find(packet4('192.0.2.80', '10.99.0.8'))).toBeUndefined();
  expect(find(new Uint8Array(3))).toBeUndefined();
  elsewhere.learn(SESSION, 3, []);
  expect(find(packet4('192.0.2.80', '10.99.0.7'))).toBeUndefined();
});
