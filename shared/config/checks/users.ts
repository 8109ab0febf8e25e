import { fixedAddressFault } from './fixed-address.ts';
import { type Check, type Parts, present, type Report } from './parts.ts';

export const checkUsers: Check = (parts, report) => {
  const { users, ppp } = parts;
  const names = new Map<string, number>();
  for (const [index, user] of present(users)) {
    const first = names.get(user.name);
    if (first !== undefined)
      report(['users', index, 'name'], `is also the name of users[${first}]`, 'keep one of the two');
    names.set(user.name, first ?? index);
    if (ppp === undefined) continue;
    const methods = ppp.authentication;
    if (user.chap && !methods.includes('chap-md5')) {
      report(['users', index, 'chap'], 'has no effect', 'add chap-md5 to ppp.authentication, or remove it');
    }
    if (!user.chap && methods.every((method) => method === 'chap-md5')) {
      report(
        ['users', index],
        'cannot sign in: only chap-md5 is offered',
        'add `chap: true` to the user, or ms-chap-v2 to ppp.authentication',
      );
    }
  }
  const methods = ppp?.authentication ?? [];
  for (const [place, method] of methods.entries()) {
    if (methods.indexOf(method) !== place)
      report(['ppp', 'authentication', place], 'is listed twice', 'remove one');
  }
  checkFixed(parts, report);
};

function checkFixed({ users, pool }: Parts, report: Report): void {
  const taken = new Map<string, number>();
  for (const [index, { ipv4 }] of present(users)) {
    if (ipv4 === undefined) continue;
    const first = taken.get(ipv4);
    if (first !== undefined)
      report(['users', index, 'ipv4'], `belongs to users[${first}]`, 'give every user another one');
    taken.set(ipv4, first ?? index);
    if (pool === undefined) continue;
    const fault = fixedAddressFault(ipv4, pool);
    if (fault !== undefined) report(['users', index, 'ipv4'], fault.problem, fault.remedy);
  }
}
