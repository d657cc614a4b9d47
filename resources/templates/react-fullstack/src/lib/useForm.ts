import { type FormEvent, useState } from 'react'
import { ApiError } from './api'

/**
 * A form that sends its inputs: `const { submit, busy, fields, message } = useForm(async (values) => { … })`.
 *
 * `values` holds the inputs by their `name`. `fields` has what the server says about single inputs, `message` the rest.
 */
export function useForm(send: (values: Record<string, string>, form: HTMLFormElement) => Promise<void>) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = event.currentTarget
    setBusy(true)
    setError(undefined)
    try {
      await send(Object.fromEntries(new FormData(form)) as Record<string, string>, form)
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught
      setError(caught)
      const first = Object.keys(caught.fields).find((name) => form.elements.namedItem(name) instanceof HTMLElement)
      if (first) (form.elements.namedItem(first) as HTMLElement).focus()
    } finally {
      setBusy(false)
    }
  }

  const fields = error?.fields ?? {}
  return { submit, busy, fields, message: Object.keys(fields).length ? undefined : error?.message }
}
