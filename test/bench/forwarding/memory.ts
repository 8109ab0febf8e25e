/** A program of its own, for nothing else may take memory meanwhile: what a session takes in the engine. */
import { occupied } from '../../../services/edge/native/memory.fixture.ts';

const SESSIONS = 20_000;

process.stdout.write(`${JSON.stringify({ octets: occupied(SESSIONS).octets })}\n`);
