import { useCallback, useEffect, useState } from 'react'
import type { Answer, Endpoint } from '@shared/endpoints'
import { api, ApiError, type InputArguments } from './api'

interface State<E extends Endpoint> {
  data?: Answer<E>
  error?: ApiError
}

/**
 * What an endpoint answers, for reading: `const { data, error, loading, reload, setData } = useApi('GET /api/notes')`.
 *
 * Asks again when the input changes. `setData` shows a change at once, before `reload` confirms it.
 */
export function useApi<E extends Endpoint>(endpoint: E, ...input: InputArguments<E>) {
  const [state, setState] = useState<State<E>>({})
  const [round, setRound] = useState(0)
  const key = JSON.stringify(input)

  useEffect(() => {
    let wanted = true
    api(endpoint, ...(JSON.parse(key) as InputArguments<E>)).then(
      (data) => wanted && setState({ data }),
      (error: ApiError) => wanted && setState((before) => ({ ...before, error })),
    )
    return () => {
      wanted = false
    }
  }, [endpoint, key, round])

  const reload = useCallback(() => setRound((before) => before + 1), [])
  const setData = useCallback((data: Answer<E>) => setState({ data }), [])
  return { ...state, loading: !state.data && !state.error, reload, setData }
}
