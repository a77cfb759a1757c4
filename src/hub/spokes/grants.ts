import type { AnyEvent, SpokeRequest } from '../../contracts/index.ts'
import { createMatcher, type PatternFault, parsePattern } from '../patterns/index.ts'

/** What one spoke may do. */
export type Grants = {
  readonly name: string
  readonly publishes: readonly string[]
  readonly patterns: readonly Readonly<Record<string, unknown>>[]
  readonly topics: readonly string[]
}

export type GrantFault = { readonly path: readonly (string | number)[]; readonly fault: PatternFault }

/** The patterns that are none, by their place in the request. */
export function findGrantFaults(request: Pick<SpokeRequest, 'patterns'>): readonly GrantFault[] {
  return request.patterns.flatMap((pattern, at) => {
    const parsed = parsePattern(pattern)
    return parsed.ok ? [] : [{ path: ['patterns', at], fault: { code: parsed.code, detail: parsed.detail } }]
  })
}

export function mayPublish(grants: Pick<Grants, 'publishes'>, type: string): boolean {
  return grants.publishes.some((allowed) =>
    allowed.endsWith('*') ? type.startsWith(allowed.slice(0, -1)) : type === allowed,
  )
}

/** Whether an event is one that the spoke may see. No pattern, no event. */
export function createSight(grants: Pick<Grants, 'patterns'>): (event: AnyEvent) => boolean {
  const matcher = createMatcher()
  grants.patterns.forEach((pattern, at) => {
    const parsed = parsePattern(pattern)
    if (parsed.ok) matcher.add(String(at), parsed.pattern)
  })
  return (event) => matcher.matchParsed(event).length > 0
}
