import type { Status } from '../shared/types.ts'
import { api } from './api.ts'
import { reportErrors } from './errors.ts'

reportErrors()

const line = document.querySelector('#status')!
try {
  const status = await api<Status>('GET', '/api/status')
  line.textContent = `The API answers. ${status.entries} ${status.entries === 1 ? 'entry' : 'entries'} in the database.`
} catch (error) {
  line.textContent = error instanceof Error ? error.message : String(error)
}
