import type { ForwardEntry } from '@culvert/contracts';
import { hex } from '@culvert/wire';
import { formatAddress } from '@culvert/wire/ip';
import { expect, test } from 'vitest';
import { callEntry, linkEntry, OTHER, policyFor, SESSION, saEntry } from '../pipeline/session-fixture.ts';
import { createDispatch } from './dispatch.ts';
import { createElsewhere } from './elsewhere.ts';
import type { WorkerCommand } from './task.ts';

const declaration = (bucket: string, ...entries: ForwardEntry[]) => ({
  type: 'declare' as const,
  declaration: { session: entries[0]?.session ?? SESSION, bucket, entries },
});

function crewOf(workers: number) {
  const posted: (readonly [number, WorkerCommand])[] = [];
  const { dispatch, repeat } = createDispatch(workers, (worker, command) => posted.push([worker, command]));
  const take = () => posted.splice(0).map(([worker, command]) => [worker, command.type] as const);
  return { dispatch, repeat, take, posted };
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

test('the others learn which addresses lead to a session, and forget them with it', () => {
  const { dispatch, posted } = crewOf(2);
  dispatch(declaration('ike', saEntry({ inboundSpi: 0x0140_0100 })));
  dispatch(declaration('ppp', linkEntry({ routes: ['192.168.7.0/24'] })));
  const known = new Map<string, number>();
  const elsewhere = createElsewhere(({ address, bits }, worker) => {
    const key = `${formatAddress(address)}/${bits}`;
    if (worker < 0) known.delete(key);
    else known.set(key, worker);
  });
  const learn = () => {
    for (const [worker, command] of posted.splice(0)) {
      if (worker === 1 && command.type === 'elsewhere')
        elsewhere.learn(command.session, command.worker, command.prefixes);
    }
  };
  learn();
  const expected = { '10.99.0.7/128': 0, '2001:db8:99:7::/64': 0, '192.168.7.0/120': 0 };
  expect(Object.fromEntries(known)).toEqual(expected);
  dispatch({ type: 'declare', declaration: { session: SESSION, bucket: 'ppp', entries: [] } });
  learn();
  expect(known.size).toBe(0);
});

test('a worker that takes the place of another hears all that the other knew', () => {
  const { dispatch, repeat, posted } = crewOf(2);
  dispatch({ type: 'policy', policy: policyFor() });
  dispatch(declaration('ike', saEntry({ inboundSpi: 0x0140_0101 })));
  dispatch(declaration('ppp', linkEntry()));
  dispatch(declaration('ike', saEntry({ session: OTHER, inboundSpi: 0x0140_0200 })));
  posted.length = 0;
  repeat(1);
  expect(posted.map(([worker, command]) => [worker, command.type])).toEqual([
    [1, 'policy'],
    [1, 'declare'],
    [1, 'declare'],
    [1, 'elsewhere'],
  ]);
});
