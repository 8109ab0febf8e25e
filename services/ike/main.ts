import { boot } from '@culvert/runtime';
import { createIkeService } from './index.ts';

const runtime = await boot('ike');
await createIkeService(runtime).start();
