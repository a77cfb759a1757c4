/** The literal parts of each wildcard of one test; more than one where it is `anything-but`. */
export type WildcardTest = readonly (readonly string[])[]

/**
 * How many beginnings of wildcards one value could be in the middle of at once, at worst: event-ruler's measure, by which
 * EventBridge refuses a rule as too complex. Each beginning counts once for every test that goes on from it.
 */
export function complexityOf(tests: readonly WildcardTest[], enough: number): number {
  const root = toTree(tests)
  const alphabet = new Set(tests.flat(2).flatMap((segment) => [...segment]))
  alphabet.add(END)
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

/** Wildcards are measured with the quotes around the text; the first is where all of them begin. */
const END = '"'

/** A place in the wildcards, which share their beginnings; a star is a place of its own that every character leads back to. */
type Step = {
  readonly id: number
  readonly isStar: boolean
  /** Tests with a wildcard that goes through it, and the last of them. */
  tests: number
  last: WildcardTest | null
  star: Step | null
  readonly next: Map<string, Step>
}

function toTree(tests: readonly WildcardTest[]): Step {
  let steps = 0
  const create = (isStar: boolean): Step => {
    steps += 1
    return { id: steps, isStar, tests: 0, last: null, star: null, next: new Map() }
  }
  const root = create(false)
  for (const test of tests)
    for (const segments of test) for (const step of pathOf(root, segments, create)) pass(step, test)
  return root
}

function pass(step: Step, test: WildcardTest): void {
  if (step.last === test) return
  step.last = test
  step.tests += 1
}

function pathOf(root: Step, segments: readonly string[], create: (isStar: boolean) => Step): readonly Step[] {
  const path = [root]
  let step = root
  for (const [index, segment] of segments.entries()) {
    if (index > 0) {
      step.star ??= create(true)
      step = step.star
      path.push(step)
    }
    for (const character of index === segments.length - 1 ? segment + END : segment) {
      const next = step.next.get(character) ?? create(false)
      step.next.set(character, next)
      step = next
      path.push(step)
    }
  }
  return path
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
  return [...all].reduce((sum, { tests }) => sum + tests, 0)
}
