import type { Config } from '@culvert/config';
import { findNatsServer, meetsFloor, natsWanted, serverVersion } from '@culvert/service-gateway';
import { bad, doubtful, type Finding, good } from './finding.ts';

export async function nats(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  return config.nats.embedded ? embedded(env) : external(config.nats.url);
}

function embedded(env: NodeJS.ProcessEnv): Finding[] {
  const wanted = natsWanted();
  const binary = findNatsServer(env);
  const name = 'nats-server';
  if (binary === undefined)
    return [bad(name, 'none', `run deploy/setup, or put version ${wanted.pinned} on PATH`)];
  const found = `${binary.version}, ${binary.path}`;
  return meetsFloor(binary.version, wanted)
    ? [
        good(name, found),
        good('NATS settings', 'written at each start: loopback, password, JetStream synced every second'),
      ]
    : [doubtful(name, `${found}, below ${wanted.floor}`, 'for development only: run deploy/setup')];
}

async function external(url: string): Promise<Finding[]> {
  const wanted = natsWanted();
  const version = await serverVersion(url).catch(() => undefined);
  const name = 'NATS';
  if (version === undefined)
    return [bad(name, `${url} does not answer`, 'start the server, or correct nats.url')];
  return meetsFloor(version, wanted)
    ? [good(name, `${version} at ${url}`)]
    : [
        bad(
          name,
          `${version} at ${url}, below ${wanted.floor}`,
          'upgrade it: older servers lose acknowledged writes',
        ),
      ];
}
