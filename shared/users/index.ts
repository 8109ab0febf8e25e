export {
  addUser,
  type ListedUser,
  listUsers,
  type NewUser,
  removeUser,
  UserRefused,
  UsersFileRefused,
  userSecretPlace,
} from './edit.ts';
export { isUserName, PASSWORD_CHARACTERS_MAX, type UserEntry, type UsersDocument } from './entry.ts';
export { verifyNothing, verifyPassword } from './password-hash.ts';
export { readUsersFile, type UsersFault, type UsersRead } from './users-file.ts';
