export { createProgram } from './program.ts';
export { report, type Terminal } from './terminal.ts';
