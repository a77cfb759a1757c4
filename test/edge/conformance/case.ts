import type { Limits } from '../../../src/kernel/index.ts'

/** Field lines as they are written, one per member: `Cache-Control: max-age=60`. */
export type Lines = readonly string[]

export type OriginAnswer = {
  readonly status?: number
  /** A `Date` of the clock is added unless there is one, or `dateless` is set. */
  readonly fields?: Lines
  readonly dateless?: boolean
  /** Unless given: `answer` and the place of the exchange in its case, so that one is told from another. */
  readonly body?: string
  /** How the body ends; by its length unless told. `cut`: a byte short of it. */
  readonly framing?: 'length' | 'chunked' | 'close' | 'cut'
  /** Whole interim responses before it. */
  readonly interim?: string
}

/** What an origin gets, as far as answers hang on it. */
export type OriginSeen = { readonly line: string; readonly method: string; get(name: string): string | null }

/** By name: the value of its lines joined by " | ", or null where there must be none. */
export type Expected = Readonly<Record<string, string | null>>

export type Exchange = {
  /** Seconds that pass before it. */
  readonly afterS?: number
  readonly method?: string
  readonly path?: string
  readonly fields?: Lines
  readonly body?: string
  /** What is answered to each time the origin is asked; absent: it must not be asked. `down`: it cannot be reached. */
  readonly origin?: OriginAnswer | readonly OriginAnswer[] | 'down'
  /** Of the last request that the origin got. */
  readonly sent?: Expected & { readonly method?: never }
  readonly sentMethod?: string
  readonly status?: number
  /** The exchange whose body must come; unless told, this one's where the origin was asked, else the last one's that was. */
  readonly from?: number
  /** In the place of `from`. `null`: anything. */
  readonly text?: string | null
  readonly got?: Expected
  /** Our member of Cache-Status, the last one. */
  readonly cacheStatus?: string
}

export type Case = {
  /** RFC and section. */
  readonly clause: string
  readonly name: string
  readonly exchanges: readonly Exchange[]
  readonly limits?: Partial<Limits>
}

/** The time at which every case begins. */
export const BEGAN_MS: number = Date.UTC(2026, 5, 1, 12, 0, 0)

/** A date so many seconds after the beginning. */
export const at = (seconds: number): string => new Date(BEGAN_MS + seconds * 1_000).toUTCString()

/** `Cache-Control` alone. */
export const control = (value: string, ...more: Lines): OriginAnswer => ({
  fields: [`Cache-Control: ${value}`, ...more],
})

/** The origin is asked and says this. */
export const asks = (origin: OriginAnswer, more: Omit<Exchange, 'origin'> = {}): Exchange => ({ ...more, origin })

/** A 304 with these lines. */
export const notModified = (...fields: Lines): OriginAnswer => ({ status: 304, fields, body: '' })

/**
 * Fresh for so many seconds: asked for once, twice not, and asked for again. 0: asked for each time, stored or not.
 * `also` is in both requests.
 */
export function lasts(
  clause: string,
  name: string,
  lifetimeS: number,
  origin: OriginAnswer,
  also: Pick<Exchange, 'fields' | 'path'> = {},
): Case {
  const status = origin.status ?? 200
  const asked: Exchange = { ...also, status, origin }
  const kept: Exchange = { ...also, status }
  const fresh = lifetimeS > 0 ? [kept, { ...kept, afterS: lifetimeS - 1 }] : []
  return { clause, name, exchanges: [asked, ...fresh, { ...asked, afterS: lifetimeS > 0 ? 1 : 0 }] }
}
