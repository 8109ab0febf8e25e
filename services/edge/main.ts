import { boot } from '@culvert/runtime';
import { createEdgeService } from './index.ts';

const runtime = await boot('edge');
await createEdgeService(runtime).start();
