/**
 * How many beginnings of wildcards one value could be in the middle of at once, at worst: event-ruler's measure, by which
 * EventBridge refuses a rule as too complex. Each beginning counts for every wildcard that goes on from it.
 */
export function complexityOf(wildcards: readonly (readonly string[])[], enough: number): number {
  const root = toTree(wildcards)
  const alphabet = new Set(wildcards.flatMap((segments) => [...segments.join('')]))
  // Any character that no wildcard names.
  alphabet.add('')
  let worst = 0
  const queue: (readonly Step[])[] = [[root]]
  const known = new Set<string>()
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    worst = Math.max(worst, weigh(next))
    // What has so many different states is complex by any measure; the bound keeps a refusal cheap.
    if (worst >= enough || known.size > STATES_MAX) return enough
    for (const character of alphabet) {
      const reached = advance(next, character)
      const name = reached.map(({ id }) => id).join()
      if (known.has(name)) continue
      known.add(name)
      queue.push(reached)
    }
  }
  return worst
}

/** Beyond any that a pattern of the length that is allowed was seen to have without being refused. */
const STATES_MAX = 20_000

/** A place in the wildcards, which share their beginnings; a star is a place of its own that every character leads back to. */
type Step = {
  readonly id: number
  readonly isStar: boolean
  /** Wildcards that go through it. */
  wildcards: number
  star: Step | null
  readonly next: Map<string, Step>
}

function toTree(wildcards: readonly (readonly string[])[]): Step {
  let steps = 0
  const create = (isStar: boolean): Step => {
    steps += 1
    return { id: steps, isStar, wildcards: 0, star: null, next: new Map() }
  }
  const root = create(false)
  for (const segments of wildcards) {
    let step = root
    step.wildcards += 1
    for (const [index, segment] of segments.entries()) {
      if (index > 0) {
        step.star ??= create(true)
        step = step.star
        step.wildcards += 1
      }
      for (const character of segment) {
        const next = step.next.get(character) ?? create(false)
        step.next.set(character, next)
        step = next
        step.wildcards += 1
      }
    }
  }
  return root
}

function advance(steps: readonly Step[], character: string): readonly Step[] {
  const reached = new Set<Step>()
  for (const step of steps) {
    const loop = step.isStar ? step : step.star
    const ahead = [loop, step.next.get(character), loop?.next.get(character)]
    for (const each of ahead) if (each) reached.add(each)
  }
  return [...reached].sort((one, other) => one.id - other.id)
}

/** A star that stands for nothing is as good as reached. */
function weigh(steps: readonly Step[]): number {
  const all = new Set(steps)
  for (const { star } of steps) if (star) all.add(star)
  return [...all].reduce((sum, { wildcards }) => sum + wildcards, 0)
}
