import { boot } from '@culvert/runtime';
import { createL2tpService } from './index.ts';

const runtime = await boot('l2tp');
await createL2tpService(runtime).start();
