import { join } from 'node:path';
import { command, daemon, until } from './command.ts';
import { ADDRESSES, type Network } from './network.ts';

/** iperf3 serves one client at a time, so each guest has a port of its own. */
export const IPERF_PORTS = [5201, 5202, 5203] as const;

export const INTRANET = 'intranet.corp.example';

/** The host behind the gateway: answers pings, iperf3 and, for one name, DNS. */
export async function startCorporateHost(network: Network, directory: string): Promise<void> {
  for (const port of IPERF_PORTS) {
    daemon(
      join(directory, `iperf3-${port}.log`),
      ...network.within('corporate', 'iperf3', '-s', '-p', `${port}`),
    );
  }
  const responder = join(import.meta.dirname, 'name-server.ts');
  daemon(
    join(directory, 'name-server.log'),
    ...network.within('corporate', process.execPath, responder, ADDRESSES.corporate.host, INTRANET),
  );
  await until('the corporate host to listen', 10_000, async () => {
    const [program, args] = network.within('corporate', 'ss', '-Hnltu');
    const listening = await command(program, ...args);
    return [...IPERF_PORTS, 53].every((port) => listening.includes(`:${port} `)) ? true : undefined;
  });
}
