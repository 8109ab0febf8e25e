export { type AaaService, createAaaService } from './service.ts';
