import { HttpError } from './errors'

const MOST_KEYS = 10_000

/** Counts tries per key and refuses more once there were too many within the time. In memory only. */
export class RateLimit {
  readonly #tries = new Map<string, number[]>()
  readonly #most: number
  readonly #withinMs: number

  constructor(most: number, withinMs: number) {
    this.#most = most
    this.#withinMs = withinMs
  }

  /** Throws a 429 with Retry-After where `key` has used up its tries, else counts one more. */
  count(key: string): void {
    this.check(key)
    const recent = this.#recent(key)
    this.#tries.delete(key)
    this.#tries.set(key, [...recent, Date.now()])
    const oldest = this.#tries.keys().next().value
    if (this.#tries.size > MOST_KEYS && oldest !== undefined) this.#tries.delete(oldest)
  }

  /** Throws as `count` does, and counts nothing. */
  check(key: string): void {
    const recent = this.#recent(key)
    if (recent.length >= this.#most) {
      const seconds = Math.ceil((recent[0] + this.#withinMs - Date.now()) / 1000)
      throw new HttpError(429, 'too_many_tries', `Too many tries. Try again in ${Math.ceil(seconds / 60)} min.`, {
        headers: { 'Retry-After': String(seconds) },
      })
    }
  }

  /** Counts the newest try no more. */
  takeBack(key: string): void {
    const tries = this.#tries.get(key)
    tries?.pop()
    if (!tries?.length) this.#tries.delete(key)
  }

  /** Counts none of the tries so far. */
  forget(key: string): void {
    this.#tries.delete(key)
  }

  #recent(key: string): number[] {
    const since = Date.now() - this.#withinMs
    return (this.#tries.get(key) ?? []).filter((time) => time > since)
  }
}
