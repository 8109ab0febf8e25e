import { connects, labOf, rekeys } from './dial-in.ts';
import { strongswan } from './lab/strongswan.ts';

const lab = labOf('strongswan');

connects(lab, strongswan, 'directly', 'outside');
connects(lab, strongswan, 'behind NAT', 'lan');
rekeys(lab, strongswan);
