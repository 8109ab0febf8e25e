import type { Rule } from '../tree.ts';
import { ikeVersionsApart, importDirections } from './imports.ts';
import { fileLength, functionLength } from './length.ts';
import { lockComplete, packages } from './manifest.ts';
import { noAmbient, noBuffer, plainMachines } from './purity.ts';
import { deadFiles } from './reach.ts';
import { fileNames, words } from './words.ts';

/** The house rules that a program can hold; STYLE.md says what each is for. */
export const RULES: readonly Rule[] = [
  importDirections,
  ikeVersionsApart,
  packages,
  lockComplete,
  noAmbient,
  noBuffer,
  plainMachines,
  fileLength,
  functionLength,
  deadFiles,
  words,
  fileNames,
];
