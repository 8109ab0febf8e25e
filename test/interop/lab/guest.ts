import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type Answer, attempt, command } from './command.ts';
import { ADDRESSES, type Network, type Place } from './network.ts';

const RECIPE = join(import.meta.dirname, '../guest/build');
const CACHE = resolve(import.meta.dirname, '../../../.cache/interop');
const BOOT_MS = 60_000;

/** A small Linux machine of its own kernel, steered over a serial line. */
export interface Guest {
  readonly name: string;
  /** Its address where it is plugged in now. */
  address(): string;
  /** Runs a bash script in the guest. */
  attempt(script: string, timeoutMs?: number): Promise<Answer>;
  /** The same, where only success will do; answers the output. */
  must(script: string, timeoutMs?: number): Promise<string>;
  write(path: string, content: string): Promise<void>;
  /** Moves the cable and takes the address of the new place. */
  plug(place: Place): Promise<void>;
  /** As pulling the power plug: nothing is said to anyone. */
  kill(): Promise<void>;
}

/** The root image, built at its first use and after a change of its recipe. */
export async function rootImage(): Promise<string> {
  const { status, output } = await attempt('bash', [RECIPE, CACHE], 600_000);
  const image = /^\/.*\.ext4$/m.exec(output)?.[0];
  if (status !== 0 || image === undefined) throw new Error(`the guests' image was not built:\n${output}`);
  return image;
}

/** What user-mode Linux needs on processors that came after it; built beside the image. */
let built: Promise<string> | undefined;
function registers(): Promise<string> {
  built ??= buildRegisters();
  return built;
}

async function buildRegisters(): Promise<string> {
  const source = join(import.meta.dirname, '../guest/xstate.cc');
  const library = join(CACHE, 'xstate.so');
  const draft = `${library}.${process.pid}`;
  await command('g++', '-shared', '-fPIC', '-O2', '-o', draft, source);
  renameSync(draft, library);
  return library;
}

export async function bootGuest(network: Network, directory: string, index: number): Promise<Guest> {
  const name = `guest${index}`;
  const tap = `tap${index}`;
  const [image, preloaded] = await Promise.all([rootImage(), registers()]);
  const space = network.name('switch');
  await command('ip', '-n', space, 'tuntap', 'add', tap, 'mode', 'tap', 'vnet_hdr');
  // Each boot begins with the image as built: the copy-on-write file holds what was changed.
  rmSync(join(directory, `${name}.cow`), { force: true });
  const kernel = [
    `env LD_PRELOAD=${preloaded} linux.uml`,
    'mem=160M',
    `ubd0=${join(directory, `${name}.cow`)},${image}`,
    'root=/dev/ubda rw init=/opt/init quiet',
    // Standard output is the console, descriptors 3 and 4 the serial line of the lab.
    'con=null con0=null,fd:1 ssl0=fd:3,fd:4',
    `uml_dir=${directory}/ umid=${name}`,
    // Without gro TCP towards the guest collapses.
    `vec0:transport=tap,ifname=${tap},gro=1,depth=128,mac=02:00:5e:00:53:${(16 + index).toString(16)}`,
  ].flatMap((words) => words.split(' '));
  const console = openSync(join(directory, `${name}.console`), 'a');
  // A process namespace ends with its first process: no stray guest threads.
  const machine = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', space]
      .concat(['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'])
      .concat(kernel),
    { stdio: ['ignore', console, console, 'pipe', 'pipe'] },
  );
  closeSync(console);
  const exited = once(machine, 'exit');
  const line = serialLine(name, machine.stdio[3] as Writable, machine.stdio[4] as Readable);
  void exited.then(() => line.hangUp());
  await line.ready;

  let address = '';
  const must = async (script: string, timeoutMs?: number): Promise<string> => {
    const { status, output } = await line.ask(script, timeoutMs);
    if (status !== 0) throw new Error(`${name}: status ${status} from:\n${script}\n${output}`);
    return output;
  };
  await must(`hostname ${name}`);
  return {
    name,
    address: () => address,
    attempt: line.ask,
    must,
    write: async (path, content) => {
      const folded = Buffer.from(content).toString('base64');
      await must(`mkdir -p '${dirname(path)}' && base64 -d >'${path}' <<<'${folded}' && chmod 600 '${path}'`);
    },
    plug: async (place) => {
      address = `${ADDRESSES[place].prefix}.${100 + index}`;
      await network.plug(tap, place);
      await must(`
        ip address flush dev vec0
        ip address add ${address}/24 dev vec0
        ip link set vec0 up
        ip route replace default via ${ADDRESSES[place].router}`);
    },
    kill: async () => {
      machine.kill('SIGKILL');
      await exited;
      await attempt('ip', ['-n', space, 'link', 'delete', tap]);
    },
  };
}

/** Requests by number, so that a long transfer and short questions go side by side. */
function serialLine(name: string, out: Writable, back: Readable) {
  const waiting = new Map<string, (answer: Answer) => void>();
  let gone = false;
  let last = 0;
  out.on('error', () => undefined);
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${name} did not boot in ${BOOT_MS} ms`)), BOOT_MS);
    createInterface({ input: back }).on('line', (line) => {
      const [id = '', status, output = ''] = line.trim().split(' ');
      if (id === 'ready') {
        clearTimeout(late);
        resolve();
        return;
      }
      waiting.get(id)?.({ status: Number(status), output: Buffer.from(output, 'base64').toString() });
      waiting.delete(id);
    });
  });
  const hangUp = (): void => {
    gone = true;
    for (const answer of waiting.values()) answer({ status: 254, output: `${name} is gone` });
    waiting.clear();
  };
  const ask = (script: string, timeoutMs = 60_000): Promise<Answer> =>
    new Promise((resolve) => {
      if (gone) {
        resolve({ status: 254, output: `${name} is gone` });
        return;
      }
      const id = String(++last);
      const late = setTimeout(() => {
        waiting.delete(id);
        resolve({ status: 253, output: `${name}: no answer in ${timeoutMs} ms to:\n${script}` });
      }, timeoutMs);
      waiting.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      out.write(`${id} ${Buffer.from(script).toString('base64')}\n`);
    });
  return { ready, ask, hangUp };
}
