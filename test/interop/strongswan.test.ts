import { connects, labOf, rekeys, traced } from './dial-in.ts';
import { strongswan } from './lab/strongswan.ts';

const lab = labOf('strongswan', 'auto');

connects(lab, strongswan, 'outside', 'aes256-sha1');
traced(lab);
connects(lab, strongswan, 'lan', 'aes128gcm16');
rekeys(lab, strongswan);
