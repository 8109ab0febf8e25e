import { matches, type Rule, type SourceFile } from '../tree.ts';

/** Pure, or reaching the world through ports only, so that the simulator and a replay see all of it. */
const ZONES = ['actors/', 'shared/wire/', 'shared/kernel/', 'shared/contracts/', 'shared/host/'];
const SERVICES = ['services/ike/', 'services/l2tp/', 'services/ppp/', 'services/aaa/'];

/** The one place where the real clock becomes a port. */
const CLOCK = ['shared/host/clock.ts'];

const AMBIENT =
  /\b(Date\.now|new Date\(\)|performance\.(now|timeOrigin)|process\.(hrtime|uptime)|Math\.random|randomBytes|randomInt|randomUUID|randomFill(Sync)?|getRandomValues|setTimeout|setInterval|setImmediate|queueMicrotask)\b|\bnew Date\(\)/g;

export const noAmbient: Rule = {
  name: 'ambient',
  check: ({ sources }) =>
    within(sources, [...ZONES, ...SERVICES])
      .filter(({ path }) => !CLOCK.includes(path))
      .flatMap((file) =>
        matches(
          file,
          AMBIENT,
          (found) => `${found}: time and randomness arrive in the event, or through a port`,
        ),
      ),
};

/** A Buffer's methods are not those of Uint8Array, and its views come from a shared pool. */
export const noBuffer: Rule = {
  name: 'buffer',
  check: ({ sources }) =>
    within(sources, ['actors/', 'shared/wire/', 'shared/kernel/']).flatMap((file) =>
      matches(file, /\bBuffer\b/g, () => 'Buffer: octets are Uint8Array here'),
    ),
};

const XSTATE_NAMES = [
  'setup',
  'assertEvent',
  'assign',
  'emit',
  'raise',
  'cancel',
  'log',
  'enqueueActions',
  'and',
  'or',
  'not',
  'stateIn',
];
const XSTATE_KERNEL = 'shared/kernel/';

const MACHINE_BANS: readonly (readonly [RegExp, string])[] = [
  [/\b(invoke|entryInvoke)\s*:/g, 'invoke: a machine has no children'],
  [
    /\b(spawn|spawnChild|stopChild|sendTo|sendParent|forwardTo)\s*\(/g,
    'a machine has no children and sends nothing',
  ],
  [/\bfrom(Promise|Callback|Observable|EventObservable|Transition)\b/g, 'actor logic belongs to services'],
  [/^\s*after\s*:\s*\{/gm, 'after: use raise with a fixed id, so that stored timers survive a renamed state'],
  [/\bdelays\s*:\s*\{/g, 'named delay: a delay comes from checked numbers in the context'],
  [/\bdelay\s*:\s*['"`]/g, 'named delay: a delay comes from checked numbers in the context'],
];

/** XState only as a pure function of snapshot and event (layout: the substrate's rules). */
export const plainMachines: Rule = {
  name: 'machines',
  check: ({ sources }) =>
    within(sources, ['actors/', XSTATE_KERNEL])
      .filter(({ imports }) =>
        imports.some(({ specifier }) => specifier === 'xstate' || specifier.startsWith('xstate/')),
      )
      .flatMap((file) => [...bans(file), ...names(file)]),
};

function bans(file: SourceFile) {
  return MACHINE_BANS.flatMap(([pattern, problem]) => matches(file, pattern, () => problem));
}

function names(file: SourceFile) {
  if (file.path.startsWith(XSTATE_KERNEL)) return [];
  return file.imports
    .filter(({ specifier, typeOnly }) => specifier.startsWith('xstate') && !typeOnly)
    .flatMap(({ names: taken, line }) =>
      taken
        .filter((name) => !name.startsWith('type ') && !XSTATE_NAMES.includes(name))
        .map((name) => ({
          path: file.path,
          line,
          problem: `takes ${name} from xstate: actors take ${XSTATE_NAMES.join(', ')}`,
        })),
    );
}

function within(sources: readonly SourceFile[], zones: readonly string[]): SourceFile[] {
  return sources.filter(({ path, isTest }) => !isTest && zones.some((zone) => path.startsWith(zone)));
}
