import { createProgram } from './program.ts';
import { processTerminal, report } from './terminal.ts';

const terminal = processTerminal();
try {
  await createProgram(terminal).parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error, terminal);
}
