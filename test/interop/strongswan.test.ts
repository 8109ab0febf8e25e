import { dialIn } from './dial-in.ts';
import { strongswan } from './lab/strongswan.ts';

dialIn(strongswan);
