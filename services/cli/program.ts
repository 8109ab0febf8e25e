import { Command } from 'commander';
import { type BenchOptions, bench } from './commands/bench.ts';
import { configCheck, configPrint, configSchema } from './commands/config.ts';
import { disconnect } from './commands/disconnect.ts';
import { doctor } from './commands/doctor.ts';
import { newPskCommand } from './commands/psk.ts';
import { listSessions, showSession } from './commands/sessions.ts';
import { status } from './commands/status.ts';
import { up } from './commands/up.ts';
import { type AddOptions, userAdd, userList, userRemove } from './commands/user.ts';
import type { Place } from './link.ts';
import type { Terminal } from './terminal.ts';

/** The whole command line on one screen. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('culvert')
    .description('L2TP/IPsec remote-access gateway')
    .option('--config <file>', 'the configuration; default: the one that culvert up uses')
    .option('--state <dir>', 'state directory; stronger than stateDir in the configuration')
    .option('--json', 'answer with one JSON document; up: one object a line')
    .exitOverride()
    .configureOutput({ writeErr: (text) => terminal.error(text.trimEnd()) })
    .showHelpAfterError('(culvert --help shows the commands)');
  const place = () => program.opts<Place>();
  const command = (name: string, description: string) => program.command(name).description(description);

  command('up', 'run the gateway on this machine; without a configuration, make one').action(() =>
    up(place(), terminal),
  );
  command('status', 'services, and what is wrong')
    .option('--counters', 'every counter since start')
    .action((options: { counters?: boolean }) => status(place(), options.counters === true, terminal));
  command('sessions', 'who is connected').action(() => listSessions(place(), terminal));
  command('session', 'one session through all layers')
    .argument('<id>', 'id of the session; a unique beginning is enough')
    .action((id: string) => showSession(place(), id, terminal));
  command('disconnect', 'end a session in order')
    .argument('<id>', 'id of the session; a unique beginning is enough')
    .action((id: string) => disconnect(place(), id, terminal));
  users(program, place, terminal);
  const psk = command('psk', 'pre-shared keys');
  psk
    .command('new')
    .description('print a strong pre-shared key')
    .option('--file <path>', 'write it there instead, for secretFile')
    .action((options: { file?: string }) => newPskCommand(options.file, terminal));
  configuration(program, place, terminal);
  command('doctor', 'can this machine run a gateway?').action(() => doctor(place(), terminal));
  command('bench', 'what can this machine encrypt and forward? takes about a minute')
    .option('--seconds <n>', 'length of one run; default: 0.8')
    .option('--sessions <n>', 'tunnels at the same time; default: one per packet worker')
    .option(
      '--suites <names>',
      'for example aes-gcm-16-256,aes-cbc-256+hmac-sha1-96; default: the usual three',
    )
    .option('--out <file>', 'draw a chart there, as SVG')
    .action((options: BenchOptions) => bench(options, terminal));
  return program;
}

function users(program: Command, place: () => Place, terminal: Terminal): void {
  const user = program.command('user').description('users kept in the users file');
  user
    .command('add')
    .description('add a user, or give it a new password')
    .argument('<name>')
    .option('--password-file <file>', 'first line is the password; - reads standard input')
    .option('--generate', 'make a random password and print it')
    .option('--chap', 'keep what CHAP-MD5 needs: the password itself, sealed')
    .option('--ipv4 <address>', 'a fixed address')
    .option('--session-timeout <seconds>', 'end sessions after this long')
    .action((name: string, options: AddOptions) => userAdd(place(), name, options, terminal));
  user
    .command('list')
    .description('names and what they may log in with')
    .action(() => userList(place(), terminal));
  user
    .command('remove')
    .description('remove a user')
    .argument('<name>')
    .action((name: string) => userRemove(place(), name, terminal));
}

function configuration(program: Command, place: () => Place, terminal: Terminal): void {
  const config = program.command('config').description('the configuration');
  const at = (file: string | undefined): Place =>
    file === undefined ? place() : { ...place(), config: file };
  config
    .command('check')
    .description('all faults at once')
    .argument('[file]')
    .action((file?: string) => configCheck(at(file), terminal));
  config
    .command('print')
    .description('the effective settings, without secrets')
    .argument('[file]')
    .action((file?: string) => configPrint(at(file), terminal));
  config
    .command('schema')
    .description('every field with its bounds and default, as JSON Schema')
    .action(() => configSchema(terminal));
}
