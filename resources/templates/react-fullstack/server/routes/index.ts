import { accounts } from './accounts'
import { notes } from './notes'
import { users } from './users'

export const routes = [...accounts, ...users, ...notes]
