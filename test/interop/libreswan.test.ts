import { connects, labOf, rekeys } from './dial-in.ts';
import { libreswan } from './lab/libreswan.ts';

const lab = labOf('libreswan');

connects(lab, libreswan, 'directly', 'outside');
connects(lab, libreswan, 'behind NAT', 'lan');
rekeys(lab, libreswan);
