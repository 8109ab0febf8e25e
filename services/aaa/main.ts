import { boot } from '@culvert/runtime';
import { createAaaService } from './index.ts';

const runtime = await boot('aaa');
await createAaaService(runtime).start();
