import { dialIn } from './dial-in.ts';
import { libreswan } from './lab/libreswan.ts';

dialIn(libreswan);
