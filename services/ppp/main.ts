import { boot } from '@culvert/runtime';
import { createPppService } from './index.ts';

const runtime = await boot('ppp');
await createPppService(runtime).start();
