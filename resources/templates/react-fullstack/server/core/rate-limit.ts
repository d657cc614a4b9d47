import { isIPv6 } from 'node:net'
import { HttpError } from './errors'

const MOST_KEYS = 10_000
const MOMENT_SECONDS = 10

/** Counts tries per key and refuses more once there were too many within the time. In memory only. */
export class RateLimit {
  readonly #tries = new Map<string, number[]>()
  readonly #underWay = new Map<string, number>()
  readonly #most: number
  readonly #withinMs: number

  constructor(most: number, withinMs: number) {
    this.#most = most
    this.#withinMs = withinMs
  }

  /** Throws a 429 with Retry-After where `key` has used up its tries, else counts one more. */
  count(key: string): void {
    this.#check(key)
    this.#add(key)
  }

  /**
   * Does `work` as a try of each limit's key; it counts if it throws. Where a key has used up its tries, this throws as
   * `count` does, and counts nothing; where it would if all that are under way fail, it asks to wait for a moment only.
   */
  static async attempt<Value>(keys: Map<RateLimit, string>, work: () => Promise<Value>): Promise<Value> {
    for (const [limit, key] of keys) limit.#check(key)
    for (const [limit, key] of keys) limit.#underWay.set(key, (limit.#underWay.get(key) ?? 0) + 1)
    try {
      return await work()
    } catch (error) {
      for (const [limit, key] of keys) limit.#add(key)
      throw error
    } finally {
      for (const [limit, key] of keys) limit.#end(key)
    }
  }

  /** Counts none of the tries so far. */
  forget(key: string): void {
    this.#tries.delete(key)
  }

  #check(key: string): void {
    const recent = this.#recent(key)
    if (recent.length >= this.#most) throw tooMany(Math.ceil((recent[0] + this.#withinMs - Date.now()) / 1000))
    if (recent.length + (this.#underWay.get(key) ?? 0) >= this.#most) throw tooMany(MOMENT_SECONDS)
  }

  #add(key: string): void {
    const recent = this.#recent(key)
    this.#tries.delete(key)
    this.#tries.set(key, [...recent, Date.now()])
    const oldest = this.#tries.keys().next().value
    if (this.#tries.size > MOST_KEYS && oldest !== undefined) this.#tries.delete(oldest)
  }

  #end(key: string): void {
    const left = (this.#underWay.get(key) ?? 0) - 1
    if (left > 0) this.#underWay.set(key, left)
    else this.#underWay.delete(key)
  }

  #recent(key: string): number[] {
    const since = Date.now() - this.#withinMs
    return (this.#tries.get(key) ?? []).filter((time) => time > since)
  }
}

/** What tries of an address are counted by: itself; of IPv6 the network (/64), since one host has all of it. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '')
  if (!isIPv6(plain)) return plain
  const [head, tail = ''] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::')
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean))
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`
}

function tooMany(seconds: number): HttpError {
  const wait = seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
  return new HttpError(429, 'too_many_tries', `Too many tries. Try again in ${wait}.`, {
    headers: { 'Retry-After': String(seconds) },
  })
}
